import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochBatches, type Sampling } from '../../../science/sampling.ts';

const settings = fc
  .record({
    examples: fc.integer({ min: 1, max: 200 }),
    seed: fc.nat(1000),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ examples, seed, share }) => ({
    examples,
    seed,
    batchSize: 1 + Math.floor(share * (examples - 1)),
  }));
const kinds: Sampling[] = [
  'without-replacement',
  'shuffle-once',
  'with-replacement',
  'sequential',
  'paired-reversal',
];

describe.each(kinds)('%s', (kind) => {
  test('gives floor(N / S) whole batches of existing examples', () => {
    fc.assert(
      fc.property(settings, fc.nat(50), (options, epoch) => {
        const order = epochBatches(kind, options, epoch);
        expect(order.length).toBe(Math.floor(options.examples / options.batchSize) * options.batchSize);
        expect(order.every((example) => example >= 0 && example < options.examples)).toBe(true);
      }),
    );
  });

  test('takes no example twice in an epoch, unless it is with replacement', () => {
    fc.assert(
      fc.property(settings, fc.nat(50), (options, epoch) => {
        const order = epochBatches(kind, options, epoch);
        if (kind !== 'with-replacement') expect(new Set(order).size).toBe(order.length);
      }),
    );
  });

  test('depends on seed and epoch alone', () => {
    const options = { examples: 100, batchSize: 10, seed: 1 };
    for (const epoch of [0, 7, 3, 7]) {
      expect(epochBatches(kind, options, epoch)).toEqual(epochBatches(kind, { ...options }, epoch));
    }
  });
});

const options = { examples: 1000, batchSize: 10, seed: 1 };
const epochs = (kind: Sampling, seed = 1) =>
  [0, 1].map((epoch) => [...epochBatches(kind, { ...options, seed }, epoch)]);

test('without-replacement permutes anew each epoch', () => {
  const [first, second] = epochs('without-replacement');
  expect(second).not.toEqual(first);
  expect(epochs('without-replacement', 2)[0]).not.toEqual(first);
});

test('shuffle-once keeps one permutation, which depends on the seed', () => {
  const [first, second] = epochs('shuffle-once');
  expect(second).toEqual(first);
  expect(epochs('shuffle-once', 2)[0]).not.toEqual(first);
  expect(first).not.toEqual(epochs('sequential')[0]);
});

test('sequential is the order of the file', () => {
  for (const order of epochs('sequential')) expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i));
});

test('with-replacement leaves out about 1/e of the examples', () => {
  const [first, second] = epochs('with-replacement');
  expect(second).not.toEqual(first);
  expect(Math.abs(new Set(first).size / 1000 - (1 - Math.exp(-1)))).toBeLessThan(0.04);
});

test('a batch larger than the data set is an error', () => {
  expect(() => epochBatches('sequential', { examples: 5, batchSize: 6, seed: 0 }, 0)).toThrow(/batch size/);
});

test('paired-reversal runs each permutation forwards and then backwards, batch by batch', () => {
  // 7 examples in batches of 2: one is dropped, the same one twice.
  for (const settings of [
    { examples: 1000, batchSize: 10, seed: 1 },
    { examples: 7, batchSize: 2, seed: 5 },
  ]) {
    const order = (epoch: number) => [...epochBatches('paired-reversal', settings, epoch)];
    for (const pair of [0, 2, 8]) {
      expect(order(pair + 1)).toEqual(order(pair).toReversed());
      expect(order(pair + 2)).not.toEqual(order(pair));
      expect(order(pair)).toEqual([...epochBatches('without-replacement', settings, pair)]);
    }
  }
});

describe('block-reshuffling', () => {
  const blocks = { examples: 1000, batchSize: 10, blockSize: 50, seed: 1 };
  const cut = (order: ArrayLike<number>, size: number) =>
    Array.from({ length: order.length / size }, (_, b) => Array.from(order).slice(b * size, (b + 1) * size));
  const order = (epoch: number, of = blocks) => epochBatches('block-reshuffling', of, epoch);

  test('keeps blocks that shuffle-once cuts, and draws their order anew each epoch', () => {
    const kept = cut(epochBatches('shuffle-once', blocks, 0), 50);
    const places = [0, 1, 2].map((epoch) =>
      cut(order(epoch), 50).map((block) => kept.findIndex((other) => String(other) === String(block))),
    );
    for (const place of places)
      expect(place.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, b) => b));
    expect(places[1]).not.toEqual(places[0]);
    expect(places[2]).not.toEqual(places[1]);
    expect(order(0, { ...blocks, seed: 2 })).not.toEqual(order(0));
  });

  test('is shuffle-once where there is one block', () => {
    const one = { ...blocks, blockSize: 1000 };
    expect(order(4, one)).toEqual(epochBatches('shuffle-once', blocks, 4));
  });

  test.each([
    [undefined, /needs a block size, a multiple of the batch size 10 that divides the 1000 examples/],
    [25, /multiple of the batch size 10 .* got 25/],
    [30, /divides the 1000 examples, got 30/],
    [0, /got 0/],
  ])('refuses blocks of %s', (blockSize, message) => {
    expect(() => epochBatches('block-reshuffling', { ...blocks, blockSize }, 0)).toThrow(message);
  });
});
