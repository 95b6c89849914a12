import { describe, expect, test } from 'vitest';
import { queueName } from '../../../../compiler/queue-name.ts';
import { schemas } from '../../../../compiler/schema/schemas.ts';
import { ownQueuesOf } from '../../../../runtime/workers/queues.ts';
import { edit, errorsOf, planOf, sweep, tiny, warningsOf } from '../pipelines.ts';

const withDefaults = (text: string, defaults: string) =>
  edit(text, 'stages:\n', `defaults: ${defaults}\nstages:\n`);
const stagesOf = (text: string) => planOf(text).cells[0]!.stages;
const bare = stagesOf(tiny);

describe('the defaults of all stages', () => {
  test('hold key by key for what a stage does not say', () => {
    const own = edit(
      tiny,
      '    uses: train\n',
      '    uses: train\n    resources: { threads: 2 }\n    timeout: 1h\n',
    );
    const text = withDefaults(
      own,
      '{ resources: { threads: 4, queue: big }, retry: { attempts: 7 }, timeout: 2h }',
    );
    expect(
      stagesOf(text).map(({ name, resources, retry, timeoutMs }) => [name, resources, retry, timeoutMs]),
    ).toEqual([
      ['data', { threads: 4, gpu: 0, queue: 'big' }, { attempts: 7 }, 7_200_000],
      ['train', { threads: 2, gpu: 0, queue: 'big' }, { attempts: 7 }, 3_600_000],
      ['record', { threads: 4, gpu: 0, queue: 'big' }, { attempts: 7 }, 7_200_000],
    ]);
  });

  test('that are wrong are said once, where they stand', () => {
    expect(errorsOf(withDefaults(tiny, '{ resources: { queue: A100 } }'))).toMatchObject([
      { line: 7, message: expect.stringMatching(/queue.*lowercase letters, digits and single dashes/) },
    ]);
    expect(
      errorsOf(withDefaults(tiny, '{ resources: { queue: "${{ params.size + \'_\' }}" } }')),
    ).toMatchObject([{ line: 7, message: expect.stringMatching(/queue.*"small_"/) }]);
    expect(errorsOf(withDefaults(tiny, '{ resource: { queue: a } }'))).toMatchObject([{ line: 7 }]);
  });
});

describe('a queue', () => {
  test('has the same names on a command line as in a pipeline', () => {
    expect(schemas.language.$defs.Resources.properties.queue).toMatchObject(queueName);
  });

  const named = edit(
    tiny,
    '    uses: train\n',
    '    uses: train\n    resources: { queue: "${{ params.size }}" }\n',
  );

  test('may be computed, and is in no recipe, which is what step keys follow from', () => {
    const stages = stagesOf(named);
    expect(stages[1]!.resources).toEqual({ threads: 1, gpu: 0, queue: 'small' });
    expect(stages.map(({ recipe }) => recipe)).toEqual(bare.map(({ recipe }) => recipe));
    expect(bare[1]!.resources).toEqual({ threads: 1, gpu: 0 });
    expect(warningsOf(named)).toEqual([]);
  });

  test('of the defaults is that of stages over all cells too', () => {
    const plan = planOf(withDefaults(sweep, '{ resources: { queue: a100 } }'));
    expect(plan.collect.map(({ queue }) => queue)).toEqual(plan.collect.map(() => 'a100'));
    expect(plan.collect.length).toBeGreaterThan(0);
    expect(planOf(sweep).collect[0]).not.toHaveProperty('queue');
    expect(ownQueuesOf(plan)).toEqual(['a100']);
    expect(ownQueuesOf(planOf(withDefaults(sweep, '{ resources: { queue: gpu } }')))).toEqual([]);
  });

  test.each(['A100', 'a_b', '-a', 'a--b', '""', 'x'.repeat(41), '5'])('cannot be %s', (name) => {
    const text = edit(tiny, '    uses: train\n', `    uses: train\n    resources: { queue: ${name} }\n`);
    expect(errorsOf(text)).toHaveLength(1);
  });
});
