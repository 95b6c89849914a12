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

test('a stage that must be alone waits for the others, is lent all slots, and those that were taken begin after it', async () => {
  const { all, queue, taken } = counted(3);
  const [first, alone, other] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const order: string[] = [];
  const run = (name: string, until: Promise<void>, how = {}) =>
    all.hold(
      1,
      async () => {
        order.push(`${name} begins`);
        await until;
        order.push(`${name} ends`);
      },
      { onWait: (why: string) => order.push(`${name} ${why}`), ...how },
    );
  expect([taken(), taken()]).toEqual([true, true]);
  const runs = [run('first', first!.promise), run('loner', alone!.promise, { alone: true })];
  const gpuQueue = all.queue();
  expect([taken(), gpuQueue.tryReserveSlot(context)]).toEqual([false, null]);
  runs.push(run('other', other!.promise));
  const taker = queue.reserveSlot(context, never);
  first!.resolve();
  await runs[0];
  other!.resolve();
  alone!.resolve();
  await Promise.all(runs);
  expect(order).toEqual([
    'first begins',
    'loner waits until it is alone on its worker',
    'other waits for a stage that must be alone',
    ...['first ends', 'loner begins', 'loner ends', 'other begins', 'other ends'],
  ]);
  expect(await taker).toEqual({});
});

test('who waits to be alone and is stopped lets the others go on', async () => {
  const { all, taken } = counted(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = all.hold(1, () => promise);
  const stop = new AbortController();
  const alone = all.hold(1, async () => undefined, { alone: true, signal: stop.signal });
  expect(taken()).toBe(false);
  stop.abort(new Error('handed back'));
  await expect(alone).rejects.toThrow('handed back');
  expect(taken()).toBe(true);
  resolve();
  await running;
});

test('while there is a rest no slot is given, and who waits for one gets it once it is over', async () => {
  const { all, queue, taken } = counted(2);
  expect(taken()).toBe(true);
  let isOver = false;
  all.rest(async () => isOver);
  expect(taken()).toBe(false);
  const waiting = queue.reserveSlot(context, never);
  queue.releaseSlot({ permit: {} });
  expect(taken()).toBe(false);
  isOver = true;
  expect(await waiting).toEqual({});
  expect([taken(), taken()]).toEqual([true, false]);
});
