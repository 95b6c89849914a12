import { totalmem } from 'node:os';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { partsOf } from '../../artifacts/store/outputs.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { TrajectoryRows } from '../../science/pca/covariance.ts';

/** Rows between two breaths. */
const rowsPerChunk = 256;

/**
 * The rows of a trajectory for many passes. Parts stay in memory if all of them take less than a quarter of it, and are read again on each pass
 * otherwise. `breathe` is awaited every few rows.
 */
export async function trajectoryRows(
  store: Store,
  manifest: ArrowTable,
  size: number,
  breathe: () => Promise<void>,
): Promise<TrajectoryRows> {
  const parts = await partsOf(store, manifest);
  const bytes = parts.reduce((sum, { ref }) => sum + ref.bytes, 0);
  const kept = bytes < totalmem() / 4 ? new Map<string, ArrowTable>() : undefined;
  const open = async (ref: ArtifactRef) => {
    const table = kept?.get(ref.sha256) ?? (await store.open(ref));
    kept?.set(ref.sha256, table);
    return table;
  };
  return {
    steps: parts.reduce((sum, { rows }) => sum + rows, 0),
    size,
    async *batches() {
      for (const { ref } of parts) {
        for (const { values } of (await open(ref)).floatVectors('weights')) {
          for (let start = 0; start < values.length; start += rowsPerChunk * size) {
            yield { weights: values.subarray(start, start + rowsPerChunk * size) };
            await breathe();
          }
        }
      }
    },
  };
}

/** theta of a series in memory, T x k, row-major. */
export function readTheta(series: ArrowTable, directions: number): Float32Array {
  const theta = new Float32Array(series.rows * directions);
  for (const { firstRow, values } of series.floatVectors('theta')) theta.set(values, firstRow * directions);
  return theta;
}
