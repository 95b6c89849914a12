import { expect, test } from 'vitest';
import { ThreadSlots } from '../../../runtime/workers/slots.ts';

const context = {} as never;
const never = new AbortController().signal;

function counted(slots: number) {
  const all = new ThreadSlots(slots);
  const queue = all.queue();
  const taken = () => queue.tryReserveSlot(context) !== null;
  return { all, queue, taken };
}

test('there are as many slots as threads', () => {
  const { queue, taken } = counted(2);
  expect([taken(), taken(), taken()]).toEqual([true, true, false]);
  queue.releaseSlot({ permit: {} });
  expect([taken(), taken()]).toEqual([true, false]);
});

test('beside a stage of several threads so many fewer stages are taken, until it has ended', async () => {
  const { all, taken } = counted(4);
  const { promise, resolve } = Promise.withResolvers<string>();
  expect(taken()).toBe(true);
  const held = all.hold(3, () => promise);
  expect([taken(), taken()]).toEqual([true, false]);
  resolve('done');
  expect(await held).toBe('done');
  expect([taken(), taken(), taken()]).toEqual([true, true, false]);
});

test('a stage of more threads than there are runs alone, and a failed one gives its threads back', async () => {
  const { all, queue, taken } = counted(2);
  expect(taken()).toBe(true);
  const held = all.hold(8, async () => {
    expect(taken()).toBe(false);
    throw new Error('no');
  });
  await expect(held).rejects.toThrow('no');
  expect([taken(), taken()]).toEqual([true, false]);
  queue.releaseSlot({ permit: {} });
  queue.releaseSlot({ permit: {} });
  const again = all.hold(8, async () => {
    expect([taken(), taken()]).toEqual([true, false]);
  });
  await again;
});

test('who waits for a slot gets the next that is free, or leaves when it is not wanted any more', async () => {
  const { all, queue, taken } = counted(1);
  expect(taken()).toBe(true);
  const other = all.queue();
  expect(other.tryReserveSlot(context)).not.toBeNull();
  const waiting = queue.reserveSlot(context, never);
  const leaving = new AbortController();
  const gone = queue.reserveSlot(context, leaving.signal);
  leaving.abort();
  await expect(gone).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  queue.releaseSlot({ permit: {} });
  expect(await waiting).toEqual({});
  expect(taken()).toBe(false);
});
