import { describe, expect, it } from 'vitest';
import { compile } from '../../../compiler/index.ts';
import type { Plan } from '../../../compiler/plan.ts';
import type { KeyResults } from '../../../report/key-results.ts';
import type { Study } from '../../../report/read-study.ts';
import { resultRows } from '../../../report/result-rows.ts';
import { seedAxes } from '../../../report/seed-axes.ts';

/** A training whose seed, data seed and epochs are given by expressions. */
function planOf(
  matrix: string,
  { seed = '1', data = '7', epochs = '2' }: { seed?: string; data?: string; epochs?: string },
  params = '',
): Plan {
  const text = `version: 1
name: axes
params: { other: 0${params} }
strategy:
  matrix:
${matrix.replaceAll(/^/gm, '    ')}
stages:
  data: { uses: dataset, with: { name: gaussian-mixture, examples: 40, seed: "\${{ ${data} }}" } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp }
      epochs: \${{ ${epochs} }}
      batchSize: 10
      optimizer: { name: sgd, learningRate: 0.1 }
      seed: "\${{ ${seed} }}"
`;
  return compile(text, { file: 'axes.yaml' }).plan;
}

describe('an axis only repeats if it flows into nothing but seeds', () => {
  it.each<[string, Plan, readonly string[]]>([
    [
      'whatever its name',
      planOf('replica: [1, 2]\nepochs: [1, 2]', { seed: 'params.replica', epochs: 'params.epochs' }),
      ['replica'],
    ],
    ['through an expression', planOf('s: [1, 2]', { seed: '100 * params.s + 3' }), ['s']],
    [
      'through a param',
      planOf('s: [1, 2]', { seed: 'params.other2' }, ', s: 5, other2: "${{ params.s + 1 }}"'),
      ['s'],
    ],
    ['a second one', planOf('s: [1, 2]\nd: [1, 2]', { seed: 'params.s', data: 'params.d' }), ['s', 'd']],
    [
      'two that advance together',
      planOf('s: [1, 2]\nd: [5, 6]\nzip: [[s, d]]', { seed: 'params.s', data: 'params.d' }),
      ['s', 'd'],
    ],
    [
      'one that another follows',
      planOf('s: [1, 2]\nd: ["${{ params.s + 9 }}"]', { seed: 'params.s', data: 'params.d' }),
      ['s', 'd'],
    ],
    [
      'in some cells at least',
      planOf('s: [1, 2]\nepochs: [1, 2]', {
        seed: 'params.epochs == 1 ? 5 : params.s',
        epochs: 'params.epochs',
      }),
      ['s'],
    ],
    ['not one that is called so', planOf('seed: [1, 2]', { epochs: 'params.seed' }), []],
    [
      'not one that also changes something else',
      planOf('s: [1, 2]', { seed: 'params.s', epochs: 'params.s' }),
      [],
    ],
    [
      'not one that something follows',
      planOf('s: [1, 2]\nepochs: ["${{ 2 * params.s }}"]', { seed: 'params.s', epochs: 'params.epochs' }),
      [],
    ],
    ['not one that nothing uses', planOf('s: [1, 2]\nidle: [1, 2]', { seed: 'params.s' }), ['s']],
  ])('%s', (_what, plan, axes) => {
    expect(seedAxes(plan)).toEqual(axes);
  });
});

describe('the rows of results', () => {
  const plan = planOf('replica: [1, 2, 3]\nepochs: [1, 2]', {
    seed: 'params.replica',
    epochs: 'params.epochs',
  });
  const study: Study = {
    ...{ studyId: 's-0', plan, cells: new Map(), damaged: [], ordered: [], detailed: [] },
    ...{ result: undefined, steps: new Map(), completeness: new Map() },
  };
  const ids = (epochs: number) => plan.cells.filter(({ axes }) => axes.epochs === epochs).map(({ id }) => id);
  const trained = (cellId: string, testLoss: number) => ({
    ...{ cellId, stage: 'train', trainLoss: 1, trainAccuracy: 0.5, testLoss, testAccuracy: Number.NaN },
  });
  const results: KeyResults = {
    training: [
      ...ids(1).map((id, index) => trained(id, 1 + index)),
      ...ids(2)
        .slice(0, 1)
        .map((id) => trained(id, 7)),
    ],
    parameters: ids(1).map((cellId, index) => ({
      ...{ cellId, label: cellId, stage: 'fit' },
      estimates: {
        lambda_cross: { value: 3 + index, error: 0.1, ...(index === 2 ? {} : { theory: 2 }) },
        tau_sgd: { value: Number.NaN, theory: 1 },
        r_squared: { value: 0.9 },
      },
    })),
    ...{ evaluations: [], problems: [] },
    available: { parameters: 3, training: 4, evaluations: 0 },
    read: { parameters: 3, training: 4, evaluations: 0 },
  };
  const [one, two] = resultRows(study, results);
  const quantity = (row: typeof one, name: string) => row!.quantities.find((found) => found.name === name);

  it('are one for each combination of the other axes, of how many cells', () => {
    expect([one, two].map((row) => [row!.axes, row!.cells, row!.of])).toEqual([
      [{ epochs: 1 }, 3, 3],
      [{ epochs: 2 }, 1, 3],
    ]);
  });

  it('are means with the standard error of the mean', () => {
    expect(quantity(one, 'test_loss')).toEqual({
      ...{ stage: 'train', name: 'test_loss', cells: 3, value: 2 },
      error: expect.closeTo(1 / Math.sqrt(3), 12),
    });
    expect(quantity(one, 'train_loss')).toMatchObject({ value: 1, error: 0 });
  });

  it('of a single cell is that as it is', () => {
    expect(quantity(two, 'test_loss')).toEqual({ stage: 'train', name: 'test_loss', cells: 1, value: 7 });
  });

  it('have a theory only where every cell has one, and no quantity that no cell has', () => {
    expect(quantity(one, 'lambda_cross')).toEqual({
      ...{ stage: 'fit', name: 'lambda_cross', cells: 3, value: 4 },
      error: expect.closeTo(1 / Math.sqrt(3), 12),
    });
    expect(one!.quantities.map(({ name }) => name)).toEqual([
      'lambda_cross',
      'train_loss',
      'train_accuracy',
      'test_loss',
    ]);
  });

  it('are those of the cells alone where nothing repeats', () => {
    const alone = { ...study, plan: planOf('seed: [1, 2, 3]', { epochs: 'params.seed' }) };
    const training = alone.plan.cells.map(({ id }, index) => trained(id, index));
    expect(
      resultRows(alone, { ...results, parameters: [], training }).map(({ axes, of }) => [axes, of]),
    ).toEqual([
      [{ seed: 1 }, 1],
      [{ seed: 2 }, 1],
      [{ seed: 3 }, 1],
    ]);
  });
});
