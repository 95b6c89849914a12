import { expect, it } from 'vitest';
import { edit, errorsOf, planOf, tiny } from '../pipelines.ts';

const withModel = (model: string) => edit(tiny, 'model: { name: mlp }', `model: ${model}`);

it.each([
  '{ name: mlp, hidden: [3], activation: gelu }',
  '{ name: linear }',
  '{ name: lenet, hidden: [3], filters: [2, 3], activation: tanh }',
  '{ name: resnet20, width: 8, blocks: 1 }',
  '{ name: transformer, patch: 4, width: 16, heads: 2, blocks: 1, feedForward: 20 }',
  '{ name: custom, layers: [{ kind: conv, filters: 2, size: 3, stride: 2, padding: valid, activation: none }, { kind: flatten }] }',
  '{ name: custom, layers: [{ kind: pool, pooling: average, size: 2 }, { kind: global-average }, { kind: dense, units: 3 }] }',
  '{ name: custom, layers: [] }',
  "{ name: \"${{ params.size == 'small' ? 'mlp' : 'lenet' }}\", hidden: [3] }",
])('%s is a model', (model) => expect(planOf(withModel(model)).cells).toHaveLength(1));

it.each([
  [
    '{ name: mlp, filters: [2, 3] }',
    'model.filters`: expected no `filters` for this network: only lenet has it',
  ],
  ['{ name: resnet20, hidden: [3] }', 'expected no `hidden` for this network: only lenet and mlp have it'],
  ['{ name: lenet, patch: 4 }', 'expected no `patch`'],
  [
    '{ name: linear, activation: tanh }',
    'expected no `activation` for this network: only custom, lenet, mlp, resnet20 and transformer have it',
  ],
  ['{ name: custom }', 'model` lacks `layers`'],
  ['{ name: custom, layers: [{ kind: conv, filters: 2 }] }', 'layers[0]` lacks `size`'],
  [
    '{ name: custom, layers: [{ kind: dense, units: 2, size: 2 }] }',
    'unknown key `size` in `stages.train.with.model.layers[0]`',
  ],
  ['{ name: custom, layers: [{ kind: convv, size: 3 }] }', 'layers[0].kind`: expected one of `conv`'],
  [
    '{ name: custom, layers: [{ kind: dense, units: 0 }] }',
    'units`: expected a whole number of at least 1, got 0',
  ],
  ["{ name: \"${{ params.size == 'small' ? 'mlp' : 'lenet' }}\", filters: [3, 4] }", 'expected no `filters`'],
])('%s is not', (model, message) => {
  const errors = errorsOf(withModel(model));
  expect(errors.map((error) => error.message).join('\n')).toContain(message);
});

it.each([
  ['{ name: mnist-digits, classes: 3 }', 'data.with.classes`: expected no `classes` for this data set'],
  ['{ name: cifar10, dimension: 4 }', 'data.with.dimension`: expected no `dimension`'],
  ['{ name: "${{ \'mnist\' }}", separation: 2 }', 'data.with.separation`: expected no `separation`'],
])('data of %s are told what is not theirs, where it stands', (data, message) => {
  const text = edit(tiny, 'with:\n      name: mnist-digits', `with: ${data}`);
  expect(errorsOf(text)).toMatchObject([{ message: expect.stringContaining(message), cure: 'remove it' }]);
});

it('a quadratic toy has no width', () => {
  const toy =
    'toy: { uses: toy, with: { loss: { name: quadratic, eigenvalues: [1], width: 3 }, learningRate: 1, epochs: 1 } }';
  expect(errorsOf(`${tiny}  ${toy}\n`)).toMatchObject([
    { message: expect.stringContaining('expected no `width` for a quadratic'), cure: 'remove it' },
  ]);
});

const withSchedule = (schedule: string) =>
  edit(tiny, '"${{ params.rate }}" }', `"\${{ params.rate }}", ${schedule} }`);

it.each([
  'schedule: { name: constant }',
  'schedule: { name: exponential, decay: 0.9 }',
  'schedule: { name: steps, steps: [{ afterEpoch: 2, factor: 0.1 }] }',
  'schedule: { name: cosine, final: 0.001 }',
  'decay: 0.9',
])('%s is a schedule', (schedule) => expect(planOf(withSchedule(schedule)).cells).toHaveLength(1));

it.each([
  ['decay: 0.9, schedule: { name: constant }', 'decay`: expected no `decay` beside a `schedule`, got 0.9'],
  ['schedule: { name: exponential }', 'schedule` lacks `decay`'],
  ['schedule: { name: cosine, decay: 0.9 }', 'unknown key `decay`'],
  ['schedule: { name: linear }', 'expected one of `constant`, `exponential`, `steps`, `cosine`'],
  ['schedule: { name: steps, steps: [{ afterEpoch: 0, factor: 0.1 }] }', 'at least 1, got 0'],
])('%s is not', (schedule, message) => {
  expect(
    errorsOf(withSchedule(schedule))
      .map((error) => error.message)
      .join('\n'),
  ).toContain(message);
});
