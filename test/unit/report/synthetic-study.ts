import { writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ColumnValues } from '../../../artifacts/arrow/table-writer.ts';
import type { ArtifactKind, ArtifactRef } from '../../../artifacts/reference.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { compile } from '../../../compiler/index.ts';
import type { CellResult, StageOutcome, StudyResult } from '../../../workflows/messages.ts';
import { historyColumns, parameters, spectrumColumns, training } from './synthetic.ts';

export const studyId = 'sweep-0123456789';

const pipeline = (cells: number) => `version: 1
name: sweep
params:
  seed: 1
strategy:
  matrix:
    seed: { range: [1, ${cells}] }
stages:
  data: { uses: dataset, with: { name: mnist-digits } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp }
      epochs: 3
      batchSize: 50
      optimizer: { name: sgd, learningRate: 0.1 }
      seed: \${{ params.seed }}
  quadratic:
    uses: toy
    with: { loss: { name: quadratic, eigenvalues: [1, 2] }, learningRate: 0.1, epochs: 10, seed: "\${{ params.seed }}" }
  analyze: { uses: analyze, with: { series: "\${{ stages.quadratic.series }}" } }
  fit: { uses: fit, with: { spectrum: "\${{ stages.analyze.spectrum }}" } }
`;

/**
 * Writes the records of a study of many cells into a store. The last `failed` cells of the plan failed in `fit`, each in its own words; each cell's
 * `train` has a note of its own.
 */
export async function writeStudy(store: Store, cells: number, failed: number): Promise<void> {
  const { plan } = compile(pipeline(cells), { file: 'sweep.yaml' });
  const context = training();
  const metadata = writeMetadata({ training: context });
  const write = (kind: ArtifactKind, columns: Record<string, ColumnValues>) =>
    store.write(kind, metadata, (writer) => writer.append(columns));
  const fits = Object.entries(parameters(context)).map(([name, value]) => [name, [value]]);
  const made: Readonly<Record<string, Record<string, ArtifactRef>>> = {
    train: { history: await write('history', historyColumns()) },
    analyze: { spectrum: await write('spectrum', spectrumColumns(context)) },
    fit: { parameters: await write('parameters', { ...Object.fromEntries(fits), r_squared: [0.9] }) },
  };
  const failures: StudyResult['failures'][number][] = [];
  const written: Promise<void>[] = [];
  for (const [index, cell] of plan.cells.entries()) {
    const fails = index >= cells - failed;
    const stages: Record<string, StageOutcome> = {};
    for (const { name, recipe } of cell.stages) {
      if (fails && name === 'fit') continue;
      const notes = name === 'train' ? [`Remark of cell ${cell.id}.`] : [];
      stages[name] = { key: recipe, outputs: made[name] ?? {}, reused: false, seconds: 1, notes };
      const step = store.writeStep({
        ...{ key: recipe, uses: name, version: 1, with: {}, inputs: {}, outputs: made[name] ?? {}, notes },
        provenance: {
          ...{ startedAt: '2026-01-01T00:00:00.000Z', seconds: 1, host: 'host', cpu: 'cpu', attempts: 1 },
          ...{ backend: 'none', library: 'none', node: 'v24', epochal: '0.1.0' },
        },
      });
      written.push(step);
    }
    const failure = { stage: 'fit', message: `No fit of cell ${cell.id}.`, type: 'InputError' };
    if (fails) failures.push({ ...failure, cellId: cell.id });
    const result: CellResult = {
      ...{ cellId: cell.id, status: fails ? 'failed' : 'succeeded', stages },
      ...(fails ? { failure } : {}),
    };
    written.push(store.writeText(`studies/${studyId}/cells/${cell.id}.json`, JSON.stringify(result)));
  }
  await Promise.all(written);
  const counts = { succeeded: cells - failed, failed, cancelled: 0 };
  const result: StudyResult = {
    ...{ studyId, status: 'failed', counts, stagesRun: 5 * cells - failed, stagesReused: 0, collect: {} },
    failures: failures.slice(0, 20),
  };
  await store.writeText(`studies/${studyId}/plan.json`, JSON.stringify(plan));
  await store.writeText(`studies/${studyId}/result.json`, JSON.stringify(result));
}
