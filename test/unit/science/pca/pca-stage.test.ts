import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ArrowTable } from '../../../../artifacts/arrow/table.ts';
import type { ArtifactRef } from '../../../../artifacts/reference.ts';
import { detrend } from '../../../../science/analysis/detrend.ts';
import { runStage } from '../../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
let trajectory: ArtifactRef;
let at: ArtifactRef;

beforeAll(async () => {
  const { outputs: data } = await runStage(store, 'dataset', {
    ...{ name: 'gaussian-mixture', examples: 60, testExamples: 10, classes: 3, dimension: 4 },
  });
  const { outputs: trained } = await runStage(store, 'train', {
    data: data.train,
    model: { name: 'mlp', hidden: [5], activation: 'tanh' },
    epochs: 5,
    optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.5 },
    batchSize: 6,
    l2: 0.01,
  });
  const { outputs: recorded } = await runStage(store, 'record', { from: trained.state, epochs: 12 });
  trajectory = recorded.trajectory!;
  at = recorded.mean!;
});

/** Steps x P, with each weight's straight line subtracted, in double precision. */
async function detrendedWeights(): Promise<Matrix> {
  const manifest = await store.open(trajectory);
  const rows: number[][] = [];
  for (const sha256 of manifest.strings('sha256')) {
    const part = await store.open((await store.find(sha256, 'trajectory-part'))!);
    for (let row = 0; row < part.rows; row++) rows.push([...part.floatVector('weights', row)]);
  }
  const matrix = new Matrix(rows);
  for (let i = 0; i < matrix.columns; i++)
    matrix.setColumn(i, [...detrend(Float64Array.from(matrix.getColumn(i)), 'linear').residual]);
  return matrix;
}

describe('uses: pca', () => {
  let tables: Record<'components' | 'basis' | 'spectrum', ArrowTable>;
  let dense: SingularValueDecomposition;
  let steps: number;
  beforeAll(async () => {
    const { outputs } = await runStage(store, 'pca', { trajectory, at, components: 5 });
    const open = async (name: string) => store.open(outputs[name]!);
    tables = {
      components: await open('components'),
      basis: await open('basis'),
      spectrum: await open('spectrum'),
    };
    const weights = await detrendedWeights();
    steps = weights.rows;
    dense = new SingularValueDecomposition(weights, { autoTranspose: true });
  });

  test('components are the singular vectors of the detrended weights, with their variances and residuals', () => {
    const variances = tables.components.numbers('eigenvalue');
    for (let c = 0; c < 5; c++) {
      const expected = dense.diagonal[c]! ** 2 / steps;
      expect(Math.abs(variances[c]! - expected) / variances[0]!).toBeLessThan(1e-6);
      const own = tables.components.floatVector('vector', c);
      const overlap = own.reduce((sum, value, i) => sum + value * dense.rightSingularVectors.get(i, c), 0);
      expect(Math.abs(overlap)).toBeCloseTo(1, 4);
      expect(tables.components.numbers('residual')[c]!).toBeLessThan(1e-4 * variances[0]!);
    }
  });

  test('the spectrum has their variances, shares of the total, and those of a random walk', () => {
    const total = dense.diagonal.reduce((sum, value) => sum + value ** 2 / steps, 0);
    const shares = tables.spectrum.numbers('variance_share');
    for (let c = 0; c < 5; c++) {
      expect(shares[c]! / (dense.diagonal[c]! ** 2 / steps / total)).toBeCloseTo(1, 4);
      expect(tables.spectrum.numbers('weight_variance')[c]! / (total * shares[c]!)).toBeCloseTo(1, 4);
    }
    expect(tables.spectrum.numbers('random_walk_share')[0]!).toBeCloseTo(15 / (2 * Math.PI) ** 2, 10);
    for (const share of tables.spectrum.numbers('sinusoid_share')) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
  });

  test('the basis has the same vectors, ordered by their curvature, with residuals that tell them from eigenvectors', async () => {
    const curvatures = [...tables.basis.numbers('eigenvalue')];
    expect(curvatures).toEqual(curvatures.toSorted((a, b) => b - a));
    expect(curvatures.toSorted()).toEqual([...tables.spectrum.numbers('eigenvalue')].toSorted());
    // Against the Hessian's own eigenpairs: curvature and residual are sums over all of them.
    const { outputs } = await runStage(store, 'hessian', { at, top: 43, tolerance: 1e-6 });
    const hessian = await store.open(outputs.eigenpairs!);
    const eigenvalues = hessian.numbers('eigenvalue');
    expect(eigenvalues.length).toBe(tables.basis.floatVector('vector', 0).length);
    for (let c = 0; c < 5; c++) {
      const own = tables.basis.floatVector('vector', c);
      let [first, second] = [0, 0];
      for (const [i, eigenvalue] of eigenvalues.entries()) {
        const eigenvector = hessian.floatVector('vector', i);
        const weight = own.reduce((sum, value, j) => sum + value * eigenvector[j]!, 0) ** 2;
        first += weight * eigenvalue;
        second += weight * eigenvalue ** 2;
      }
      expect(curvatures[c]! / first).toBeCloseTo(1, 4);
      expect(tables.basis.numbers('residual')[c]! / Math.sqrt(second - first ** 2)).toBeCloseTo(1, 3);
    }
  });
});

test('more components than the steps can hold are refused', async () => {
  await expect(runStage(store, 'pca', { trajectory, at, components: 119 })).rejects.toThrow(
    'components is 119; 120 recorded steps of 43 weights have at most 43',
  );
});

test('a run that was stopped goes on from its checkpoint to the same bytes', async () => {
  const settings = { trajectory, at, components: 5 };
  const whole = await runStage(store, 'pca', settings, 'pca-x');
  await store.checkpoint('pca-x').clear();
  let breaths = 0;
  const stop = () => (++breaths > 400 ? Promise.reject(new Error('stopped')) : Promise.resolve());
  await expect(runStage(store, 'pca', settings, 'pca-x', stop)).rejects.toThrow('stopped');
  expect((await store.checkpoint('pca-x').list()).length).toBeGreaterThan(0);
  let more = 0;
  const resumed = await runStage(store, 'pca', settings, 'pca-x', async () => {
    more++;
  });
  expect(resumed.outputs).toEqual(whole.outputs);
  let all = 0;
  await store.checkpoint('pca-x').clear();
  await runStage(store, 'pca', settings, 'pca-x', async () => {
    all++;
  });
  expect(more).toBeLessThan(all);
});
