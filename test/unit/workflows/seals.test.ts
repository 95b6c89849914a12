import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { RefusedError } from '../../../artifacts/errors.ts';
import { describeFailure } from '../../../workflows/failures.ts';
import { refusal } from '../../../workflows/messages.ts';
import { answerTo, interceptors } from '../../../workflows/seals.ts';

const [inbound] = interceptors().inbound!;
const [outbound] = interceptors().outbound!;
/** Ends a workflow, where any other error would be tried again for ever. */
const refused = { type: 'RefusedError', nonRetryable: true };
/** What a codec gives for a message without a seal, and what there is of a message that is missing. */
const strange = [refusal, undefined];

test.each([[[]], [[refusal]], [['sealed', refusal]]])(
  'a workflow with the arguments %j does not begin',
  async (args) => {
    let begun = false;
    const execute = inbound!.execute!({ args, headers: {} }, async () => {
      begun = true;
    });
    await expect(execute).rejects.toMatchObject(refused);
    expect(begun).toBe(false);
  },
);

test('what a workflow itself refuses ends it', async () => {
  const execute = (error: Error) =>
    inbound!.execute!({ args: ['sealed'], headers: {} }, () => Promise.reject(error));
  await expect(execute(new RefusedError('No.'))).rejects.toMatchObject({ ...refused, message: 'No.' });
  await expect(execute(new TypeError('a fault'))).rejects.toThrow(TypeError);
});

test('a signal is heard only with a seal', async () => {
  const heard: unknown[] = [];
  for (const args of [[], [refusal], ['pause']])
    await inbound!.handleSignal!({ signalName: 'pause', args, headers: {} }, async (input) => {
      heard.push(input.args);
    });
  expect(heard).toEqual([['pause']]);
});

test.each(strange)('the result %j of an activity or of a cell is not taken', async (result) => {
  const activity = outbound!.scheduleActivity!({} as never, async () => result);
  await expect(activity).rejects.toMatchObject(refused);
  const [, cell] = await outbound!.startChildWorkflowExecution!({} as never, async () => [
    Promise.resolve('run'),
    Promise.resolve(result),
  ]);
  await expect(cell).rejects.toMatchObject(refused);
});

test('a sealed answer to something else is none', () => {
  expect(answerTo('fit', { to: 'fit', value: 1 })).toBe(1);
  expect(() => answerTo('fit', { to: 'train', value: 1 })).toThrow(expect.objectContaining(refused));
});

test('words of a failure, which bear no seal, are short and move no cursor', () => {
  const said = (message: string) => describeFailure('fit', ApplicationFailure.create({ message })).message;
  expect(said('a\n\tb \u001b[2J\u009b\u202e\r\u0000')).toBe('a\n\tb \ufffd[2J\ufffd\ufffd\ufffd\ufffd');
  expect(said('x'.repeat(1_000_000)).length).toBe(10_000);
});
