import { expect, test } from 'vitest';
import { edit, errorsOf, planOf, tiny } from '../pipelines.ts';

const kept = edit(tiny, '      epochs: 3\n', '      epochs: 3\n      keep: { every: 1 }\n');
const pick = '  pick: { uses: checkpoint, with: { of: "${{ stages.train.states }}", epoch: 1 } }\n';
const stagesOf = (text: string) =>
  Object.fromEntries(planOf(text).cells[0]!.stages.map((stage) => [stage.name, stage]));

test('a stage writes an output that hangs on a setting only with it, and without has the recipe and outputs that it always had', () => {
  expect(stagesOf(tiny).train!.outputs).toEqual({ state: 'state', history: 'history' });
  const { train, pick: picked } = stagesOf(kept + pick);
  expect(train!.outputs).toEqual({ state: 'state', history: 'history', states: 'states' });
  expect(train!.recipe).not.toBe(stagesOf(tiny).train!.recipe);
  expect(picked!.with.of).toMatchObject({ $output: { stage: 'train', output: 'states', kind: 'states' } });
});

test('a reference to such an output names the setting that is missing', () => {
  expect(errorsOf(tiny + pick)).toMatchObject([
    {
      code: 'wrong-reference',
      message: expect.stringContaining('stage `train` does not write `states` with its settings'),
      cure: 'it does with `keep`: change its `with`',
    },
  ]);
});
