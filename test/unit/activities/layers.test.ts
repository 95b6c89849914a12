import { EigenvalueDecomposition, type Matrix } from 'ml-matrix';
import { expect, test } from 'vitest';
import { readMetadata, writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { createModel } from '../../../science/models/index.ts';
import { RandomStream } from '../../../science/random.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { squaredErrorOf } from '../science/oracle/linear-squares.ts';
import { randomExamples } from '../science/oracle/random-examples.ts';

const store = await storeOfThisFile();
const elsewhere = await storeOfThisFile();
const count = 60;
const batchSize = 6;
const data = randomExamples(new RandomStream(11, 'layers'), [3, 2, 1], 3, count);

const trained = async (into: Store, model: object, epochs = 2) => {
  const metadata = writeMetadata({ shape: data.shape, classes: data.classes });
  const dataset = await into.write('dataset', metadata, (writer) =>
    writer.append({ image: data.images, label: data.labels }),
  );
  const settings = {
    ...{ data: dataset, model, loss: 'mean-squared-error', l2: 2e-3, batchSize },
    ...{ standardize: 'scale', epochs, seed: 3, optimizer: { name: 'sgd', learningRate: 0.1 } },
  };
  return (await runStage(into, 'train', settings, JSON.stringify(model).replace(/\W/g, ''))).outputs.state!;
};
const linear = await trained(store, { name: 'linear' });
const network = { name: 'mlp', hidden: [4], activation: 'tanh' };
const mlp = await trained(store, network);

test('of a linear model has the variances along dense eigenvectors, and the exponent of both, without the L2 term', async () => {
  const withs = { at: linear, top: 21, tolerance: 1e-5 };
  const { outputs, notes } = await runStage(store, 'layers', withs, 'linear');
  expect(notes).toEqual([]);
  const table = await store.open(outputs.spectrum!);
  const model = createModel({ name: 'linear', initialization: 'glorot-normal' }, data.shape, data.classes);
  const weights = (await store.open(linear)).floatVector('weights', 0);
  const of = (batch: number[]) => squaredErrorOf(model, data, weights, 0, batch);
  const all = Array.from({ length: count }, (_, n) => n);
  const { gradient: mean, hessian } = of(all);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(hessian, {
    assumeSymmetric: true,
  });
  const gradients = all.map((n) => of([n]).gradient.map((value, i) => value - mean[i]!));
  const factor = (count - batchSize) / ((count - 1) * batchSize);
  const along = (vectors: Matrix, column: number) =>
    gradients.reduce((sum, g) => {
      const value = g.reduce((dot, own, i) => dot + own * vectors.get(i, column), 0);
      return sum + (factor * value ** 2) / count;
    }, 0);
  const expected = realEigenvalues
    .map((value, i) => ({ value, variance: along(eigenvectorMatrix, i) }))
    .sort((a, b) => b.value - a.value);
  expect(table.rows).toBe(21);
  // Each eigenvalue comes once for each class, in whatever basis of its three vectors: their variances have one sum.
  for (let i = 0; i < 21; i += 3) {
    const sum = (of: (row: number) => number) => of(i) + of(i + 1) + of(i + 2);
    const value = sum((row) => table.numbers('eigenvalue')[row]!);
    expect(value / sum((row) => expected[row]!.value)).toBeCloseTo(1, 4);
    const variance = sum((row) => table.numbers('noise_variance')[row]!);
    expect(variance / sum((row) => expected[row]!.variance)).toBeCloseTo(1, 3);
  }
  const { layers } = readMetadata(table, 'layers');
  expect(layers).toMatchObject([{ name: 'dense1', weights: 21, directions: 21 }]);
  // The residuals hardly depend on the images, which are random: C is nearly proportional to H.
  expect(Math.abs(layers[0]!.exponent! - 1)).toBeLessThan(4 * layers[0]!.standardError!);
});

test('every layer has its own eigenvectors, and only those that are asked for are looked at', async () => {
  const whole = await runStage(store, 'layers', { at: mlp, top: 5 }, 'every');
  const table = await store.open(whole.outputs.spectrum!);
  expect([...table.numbers('layer')]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  expect([...table.numbers('index')]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  expect(readMetadata(table, 'layers').layers.map(({ name, weights }) => [name, weights])).toEqual([
    ['dense1', 28],
    ['dense2', 15],
  ]);
  const some = { at: mlp, top: 5, layers: ['dense2'] };
  const { outputs } = await runStage(store, 'layers', some, 'some');
  const part = await store.open(outputs.spectrum!);
  for (const column of ['eigenvalue', 'noise_variance', 'noise_variance_standard_error'])
    expect([...part.numbers(column)]).toEqual([...table.numbers(column)].slice(5));
  await expect(runStage(store, 'layers', { at: mlp, layers: ['dense3'] }, 'none')).rejects.toMatchObject({
    name: 'InputError',
    message: 'The network has no layer "dense3"; it has dense1, dense2.',
  });
});

test.each([8, 30, 55])('killed at breath %i, it goes on to the same bytes', async (breath) => {
  const same = await trained(elsewhere, network);
  expect(same.sha256).toBe(mlp.sha256);
  let breaths = 0;
  const dying = () => (++breaths === breath ? Promise.reject(new Error('killed')) : Promise.resolve());
  const key = `killed-${breath}`;
  const undisturbed = await runStage(store, 'layers', { at: mlp, top: 6 }, key);
  await expect(runStage(elsewhere, 'layers', { at: same, top: 6 }, key, dying)).rejects.toThrow('killed');
  const { outputs } = await runStage(elsewhere, 'layers', { at: same, top: 6 }, key);
  expect(outputs.spectrum!.sha256).toBe(undisturbed.outputs.spectrum!.sha256);
});

test('batch normalization is refused: a batch is then not the mean of its examples', async () => {
  const resnet = await trained(store, { name: 'resnet20', width: 1, blocks: 1 }, 0);
  await expect(runStage(store, 'layers', { at: resnet }, 'resnet')).rejects.toThrow(/batch normalization/);
});
