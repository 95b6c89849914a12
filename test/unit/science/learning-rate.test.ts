import { expect, test } from 'vitest';
import { learningRateAt, type Schedule } from '../../../science/learning-rate.ts';

const rates = (schedule: Schedule, epochs: number, first = 0.1) =>
  Array.from({ length: epochs }, (_, epoch) => learningRateAt(schedule, first, { epoch, epochs }));

test('constant', () => expect(rates({ name: 'constant' }, 3)).toEqual([0.1, 0.1, 0.1]));

test('exponential is a power of the decay, to the bit', () => {
  expect(rates({ name: 'exponential', decay: 0.98 }, 100, 0.005)).toEqual(
    Array.from({ length: 100 }, (_, epoch) => 0.005 * 0.98 ** epoch),
  );
});

test("the paper's last learning rate is 0.005 x 0.98^99", () => {
  expect(rates({ name: 'exponential', decay: 0.98 }, 100, 0.005)[99]).toBeCloseTo(6.766e-4, 7);
});

test('steps fall once their epochs are done, in any order', () => {
  const steps = [
    { afterEpoch: 4, factor: 0.5 },
    { afterEpoch: 2, factor: 0.1 },
  ];
  const expected = [1, 1, 0.1, 0.1, 0.05, 0.05];
  for (const [epoch, rate] of rates({ name: 'steps', steps }, 6, 1).entries())
    expect(rate).toBeCloseTo(expected[epoch]!, 15);
});

test('cosine begins at the first rate, is half-way in the middle and ends above the final one', () => {
  const [first, final, epochs] = [0.4, 0.1, 8];
  const all = rates({ name: 'cosine', final }, epochs, first);
  expect(all[0]).toBe(first);
  expect(all[4]).toBeCloseTo(0.25, 15);
  // cos(pi / 4) = 1 / sqrt(2), in epochs 2 and 6.
  expect(all[2]).toBeCloseTo(0.25 + 0.15 * Math.SQRT1_2, 15);
  expect(all[6]).toBeCloseTo(0.25 - 0.15 * Math.SQRT1_2, 15);
  expect(all.every((rate, epoch) => epoch === 0 || rate < all[epoch - 1]!)).toBe(true);
  expect(all[7]).toBeGreaterThan(final);
  expect(learningRateAt({ name: 'cosine' }, first, { epoch: epochs, epochs })).toBeCloseTo(0, 15);
});
