import { findMetadata, writeMetadata } from '../../artifacts/arrow/metadata.ts';
import { partsOf } from '../../artifacts/store/outputs.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { ProjectWith } from '../../schemas/types.ts';
import { createProjection } from '../../science/projection.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage } from '../kinds/stage.ts';
import { projectedOn, readBasis } from '../stage-parts/basis.ts';
import { checkProjectable } from '../stage-parts/checks.ts';
import { sgdOf } from '../stage-parts/training-data.ts';

/** Rows projected between two breaths. */
const rowsPerChunk = 256;

/** `uses: project`: theta_k . p_i for every recorded step k and basis vector p_i, relative to the first recorded weights. */
export const stage: Stage<ProjectWith> = {
  uses: 'project',
  prospect({ trajectory, basis }) {
    const { steps, model } = trajectory;
    const { pairs } = basis;
    if (model !== undefined && basis.model !== undefined)
      checkProjectable(model.size, basis.model.size, 'basis');
    if (steps === undefined || pairs === undefined || model === undefined) return undefined;
    return {
      outputs: { series: { ...trajectory, pairs } },
      bytes: steps * rowBytes('series', pairs),
      work: steps * model.size * pairs,
      like: model.spec.name,
    };
  },
  async run(context) {
    const manifest = await context.store.open(context.with.trajectory);
    const eigenpairs = await context.store.open(context.with.basis);
    const basis = readBasis(eigenpairs);
    const parts = await partsOf(context.store, manifest);
    const first = await context.store.open(parts[0]!.ref);
    const reference = first.floatVector('weights', 0).slice();
    checkProjectable(reference.length, basis.size, 'basis');
    const { tf } = await loadTensorFlow({ threads: context.threads });
    const projection = createProjection(tf, reference, basis);
    const total = parts.reduce((sum, part) => sum + part.rows, 0);
    let done = 0;
    const projected: { steps: Float64Array; theta: Float32Array }[] = [];
    for (const [index, part] of parts.entries()) {
      const name = `part-${String(index).padStart(6, '0')}`;
      const table = await context.store.open(part.ref);
      const saved = await context.checkpoint.read(name);
      if (saved !== undefined && saved.byteLength === part.rows * basis.count * 4) {
        const theta = new Float32Array(saved.slice().buffer);
        projected.push({ steps: table.numbers('step'), theta });
        done += part.rows;
        continue;
      }
      const theta = new Float32Array(part.rows * basis.count);
      for (const batch of table.floatVectors('weights')) {
        for (let row = 0; row < batch.rows; row += rowsPerChunk) {
          const rows = Math.min(rowsPerChunk, batch.rows - row);
          const values = batch.values.subarray(row * batch.size, (row + rows) * batch.size);
          theta.set(projection.project(values), (batch.firstRow + row) * basis.count);
          done += rows;
          context.progress({ done, total, unit: 'rows', message: `on ${basis.count} eigenvectors` });
          await context.breathe();
        }
      }
      await context.checkpoint.write(name, new Uint8Array(theta.buffer));
      projected.push({ steps: table.numbers('step'), theta });
    }
    projection.dispose();
    const metadata = writeMetadata({
      ...sgdOf(manifest),
      ...projectedOn(eigenpairs, context),
      every: findMetadata(manifest, 'every'),
    });
    const series = await context.write('series', metadata, async (writer) => {
      for (const { steps, theta } of projected) await writer.append({ step: steps, theta });
    });
    return { series };
  },
};
