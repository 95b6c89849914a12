import { describe, expect, test } from 'vitest';
import { fitTables, seedTables, trainingSentence } from '../../../docs/result-tables.ts';
import { commandOf } from '../../../docs/results-page.ts';
import type { CellParameters } from '../../../report/key-results.ts';
import type { Study } from '../../../report/read-study.ts';

const stage = (seed: number) => ({ name: 'train', uses: 'train', version: 1, resources: {}, with: { seed } });

function studyOf(seeds: readonly number[]): Study {
  const cells = seeds.map((seed) => ({
    id: `seed=${seed}`,
    axes: { seed },
    params: {},
    stages: [stage(seed)],
  }));
  return { plan: { axes: ['seed'], cells } } as unknown as Study;
}

function fitsOf(values: readonly number[]): CellParameters[] {
  return values.map((value, index) => ({
    cellId: `seed=${index}`,
    label: `seed ${index}`,
    stage: 'fit',
    estimates: { tau_sgd: { value, error: 2, theory: 100, deviation: (value - 100) / 2 } },
  }));
}

describe('means over seeds', () => {
  test('have the standard error of their scatter, the interval by Student, and the scatter of the deviations', () => {
    // Mean 102, standard deviation 2, error 1; t of 3 degrees of freedom for 95 % is 3.18245.
    const values = [102 - Math.sqrt(6), 102, 102, 102 + Math.sqrt(6)];
    const [, table] = seedTables(studyOf([0, 1, 2, 3]), fitsOf(values));
    expect(table!.split('\n').at(-1)).toBe(
      '| τ_SGD (steps) | 4 | 102.0 ± 1.0 | 98.8 … 105 | 100 | 1.00 ± 0.50 | 1 |',
    );
  });

  test('leave out and count seeds whose data determine no value', () => {
    const [, table] = seedTables(studyOf([0, 1, 2, 3]), fitsOf([101, 102, 103, Number.NaN]));
    expect(table).toContain('| 3 of 4 |');
  });

  test('are not given for two seeds, nor without any', () => {
    expect(seedTables(studyOf([0, 1]), fitsOf([101, 102]))).toEqual([]);
  });
});

test('a training is told by its last epoch, several by their means', () => {
  const last = {
    cellId: 'main',
    stage: 'train',
    trainLoss: 0.1,
    trainAccuracy: 1,
    testLoss: 2,
    testAccuracy: 0.6344,
  };
  expect(trainingSentence([last])).toEqual([
    'After the last epoch: loss and accuracy of the training examples 0.1 and 100 %, of the test examples 2 and 63.44 %.',
  ]);
  const blind = { ...last, testLoss: Number.NaN, testAccuracy: Number.NaN };
  expect(trainingSentence([blind, { ...blind, trainAccuracy: 0.9 }])[0]).toMatch(
    /means of 2 trainings.* 0\.1 and 95\.0 ± 5\.0 %\.$/,
  );
  expect(trainingSentence([])).toEqual([]);
});

test('a quantity that the data do not determine is told by its limit', () => {
  const estimates = { lambda_cross: { value: Number.NaN, theory: 0.5, upperLimit: 0.2 } };
  const [table] = fitTables([{ cellId: 'main', label: 'main', stage: 'fit', estimates }], 'theory.md');
  expect(table!.split('\n').at(-1)).toBe('| λ_cross | < 0.2 (95 %) | 0.5 | – |');
});

test('the command of a study names the params that are not those of its file, and not where data lay', () => {
  const text =
    'params:\n  size: small\n  seeds: 1\n  data: ../data\n  some: { a: 1 }\n  use: ${{ params.size }}\n';
  const source = { file: 'x.yaml', sha256: '', text };
  const params = { size: 'cpu', seeds: 1, data: '/elsewhere', some: { a: 2 }, use: 'cpu' };
  expect(commandOf({ name: 'x', params, source })).toBe(
    'npx epochal run pipelines/x.yaml --set size=cpu --set data=DIR',
  );
});
