import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { expect, test } from 'vitest';
import { writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { createModel } from '../../../science/models/index.ts';
import { RandomStream } from '../../../science/random.ts';
import { epochBatches } from '../../../science/sampling.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { squaredErrorOf } from '../science/oracle/linear-squares.ts';
import { randomExamples } from '../science/oracle/random-examples.ts';

const store = await storeOfThisFile();
const elsewhere = await storeOfThisFile();
const count = 30;
const batchSize = 5;
const data = randomExamples(new RandomStream(9, 'curvature'), [3, 2, 1], 3, count);
const model = createModel({ name: 'linear', initialization: 'glorot-normal' }, data.shape, data.classes);
const l2 = 2e-3;

const writeData = (into: Store) =>
  into.write('dataset', writeMetadata({ shape: data.shape, classes: data.classes }), (writer) =>
    writer.append({ image: data.images, label: data.labels }),
  );

async function trained(into: Store) {
  const settings = {
    ...{ data: await writeData(into), model: { name: 'linear' }, loss: 'mean-squared-error', l2, batchSize },
    ...{ standardize: 'scale', epochs: 4, keep: [0, 1, 4], seed: 3 },
    optimizer: { name: 'sgd', learningRate: 0.2, decay: 0.5, momentum: 0.6 },
  };
  return (await runStage(into, 'train', settings)).outputs;
}

const { states, state } = await trained(store);
const withs = { at: states!, top: 4, batches: 14, probes: 6, tolerance: 1e-5 };
const whole = await runStage(store, 'curvature', withs, 'curvature');
const table = await store.open(whole.outputs.curvature!);

test('eigenvalues and trace are those of the dense Hessian, at every state that was kept', () => {
  expect([...table.numbers('epoch')]).toEqual([0, 1, 4]);
  expect([...table.numbers('step')]).toEqual([0, 6, 24]);
  const all = Array.from({ length: count }, (_, n) => n);
  const { hessian } = squaredErrorOf(model, data, new Float32Array(model.size), l2, all);
  const values = new EigenvalueDecomposition(hessian).realEigenvalues.toSorted((a, b) => b - a);
  for (let i = 0; i < 4; i++)
    for (const value of table.numbers(`eigenvalue_${i}`)) expect(value / values[i]!).toBeCloseTo(1, 4);
  for (const row of [0, 1, 2]) {
    const error = table.numbers('trace_standard_error')[row]!;
    expect(error).toBeLessThan(0.2 * hessian.trace());
    expect(Math.abs(table.numbers('trace')[row]! - hessian.trace())).toBeLessThan(4 * error);
  }
  expect(whole.notes).toEqual([]);
});

test('batch sharpness is the mean over the batches that SGD takes next, with its standard error', async () => {
  const kept = await store.open(states!);
  for (const [row, epoch] of [0, 1, 4].entries()) {
    const weights = kept.floatVector('weights', row);
    const order = [0, 1, 2].flatMap((more) => [
      ...epochBatches('without-replacement', { examples: count, batchSize, seed: 3 }, epoch + more),
    ]);
    const quotients = Array.from({ length: 14 }, (_, b) => {
      const batch = order.slice(b * batchSize, (b + 1) * batchSize);
      const { gradient, hessian } = squaredErrorOf(model, data, weights, l2, batch);
      const g = Matrix.columnVector([...gradient]);
      return g.transpose().mmul(hessian).mmul(g).get(0, 0) / g.dot(g);
    });
    const mean = quotients.reduce((sum, value) => sum + value, 0) / 14;
    const variance = quotients.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 13;
    expect(table.numbers('batches')[row]).toBe(14);
    expect(table.numbers('batch_sharpness')[row]! / mean).toBeCloseTo(1, 5);
    expect(table.numbers('batch_sharpness_standard_error')[row]! / Math.sqrt(variance / 14)).toBeCloseTo(
      1,
      3,
    );
  }
});

test('the thresholds follow the learning rate of each state', () => {
  for (const [row, rate] of [0.2, 0.2, 0.025].entries()) {
    expect(table.numbers('learning_rate')[row]).toBeCloseTo(rate, 12);
    expect(table.numbers('threshold_small_batch')[row]).toBeCloseTo(0.8 / rate, 9);
    expect(table.numbers('threshold_full_batch')[row]).toBeCloseTo(3.2 / rate, 9);
  }
});

test('a single state has the row that it has among others', async () => {
  const { outputs } = await runStage(store, 'curvature', { ...withs, at: state! }, 'single');
  const single = await store.open(outputs.curvature!);
  expect(single.rows).toBe(1);
  for (const column of table.columns) expect(single.numbers(column)[0]).toBe(table.numbers(column)[2]);
});

test.each([3, 30, 40, 75])('killed at breath %i, it goes on to the same bytes', async (breath) => {
  const { states: same } = await trained(elsewhere);
  expect(same!.sha256).toBe(states!.sha256);
  let breaths = 0;
  const dying = () => (++breaths === breath ? Promise.reject(new Error('killed')) : Promise.resolve());
  const key = `killed-${breath}`;
  const settings = { ...withs, batches: 60 };
  const undisturbed = await runStage(store, 'curvature', settings, key);
  await expect(runStage(elsewhere, 'curvature', settings, key, dying)).rejects.toThrow('killed');
  const { outputs } = await runStage(elsewhere, 'curvature', settings, key);
  expect(outputs.curvature!.sha256).toBe(undisturbed.outputs.curvature!.sha256);
});

test('where every epoch has the same batches, they are taken once', async () => {
  const { outputs } = await runStage(store, 'train', {
    ...{ data: await writeData(store), model: { name: 'linear' }, batchSize, epochs: 1, keep: [1] },
    ...{ sampling: 'shuffle-once', optimizer: { name: 'sgd', learningRate: 0.2 } },
  });
  const run = await runStage(store, 'curvature', { at: outputs.states!, top: 1, batches: 14 }, 'once');
  expect(run.notes).toEqual([
    'With this sampling each epoch has the same 6 batches: no more than these are taken.',
  ]);
  expect((await store.open(run.outputs.curvature!)).numbers('batches')[0]).toBe(6);
});

test('eigenvalues that have not converged are not given, with a note that says of which epoch', async () => {
  const few = { ...withs, at: state!, tolerance: 1e-9, maxIterations: 5 };
  const { outputs, notes } = await runStage(store, 'curvature', few, 'few');
  expect(notes[0]).toMatch(/^Epoch 4: \d of 4 eigenvalues have not converged after 5 products and are NaN/);
  const found = await store.open(outputs.curvature!);
  expect(found.numbers('eigenvalue_3')[0]).toBeNaN();
});
