import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../science/random.ts';

const draws = (stream: RandomStream, n: number) => Array.from({ length: n }, () => stream.uint32());

describe('a stream', () => {
  test('is the AES-256 counter keystream of its address, the same on every machine', () => {
    // openssl enc -aes-256-ctr -K $(printf '["epochal/random/1",1,"permutation",0]' | sha256sum) -iv 0, over zeros
    expect(draws(new RandomStream(1, 'permutation', 0), 4)).toEqual([
      1424833327, 3808034715, 1630829075, 3992891404,
    ]);
  });

  test('depends on seed, purpose and indices, and on nothing else', () => {
    const first = draws(new RandomStream(1, 'a', 2), 8);
    expect(draws(new RandomStream(1, 'a', 2), 8)).toEqual(first);
    for (const other of [
      new RandomStream(2, 'a', 2),
      new RandomStream(1, 'b', 2),
      new RandomStream(1, 'a', 3),
      new RandomStream(1, 'a'),
    ]) {
      expect(draws(other, 8)).not.toEqual(first);
    }
  });

  test('goes on beyond one block of its cipher', () => {
    const numbers = draws(new RandomStream(1, 'long'), 5000);
    expect(new Set(numbers).size).toBeGreaterThan(4990);
  });
});

test('uniform numbers lie in [0, 1) with mean 1/2 and variance 1/12', () => {
  const stream = new RandomStream(3, 'uniform');
  const values = Array.from({ length: 20_000 }, () => stream.uniform());
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values)).toBeLessThan(1);
  const { mean, variance } = moments(values);
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / 20_000));
  expect(Math.abs(variance * 12 - 1)).toBeLessThan(0.04);
});

test('normal numbers have mean 0, variance 1 and kurtosis 3', () => {
  const stream = new RandomStream(3, 'normal');
  const values = Array.from({ length: 20_000 }, () => stream.normal());
  const { mean, variance } = moments(values);
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(20_000));
  expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / 20_000));
  const kurtosis = values.reduce((sum, value) => sum + value ** 4, 0) / values.length;
  expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(96 / 20_000));
});

test('below(n) takes each value equally often', () => {
  const stream = new RandomStream(3, 'below');
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 14_000; i++) counts[stream.below(7)]! += 1;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
  // 99.9 % quantile with 6 degrees of freedom
  expect(chiSquare).toBeLessThan(22.5);
});

test('below(n) refuses what is no positive integer', () => {
  for (const bound of [0, -1, 1.5, 2 ** 33, Number.NaN]) {
    expect(() => new RandomStream(1, 'below').below(bound)).toThrow(RangeError);
  }
});

test('a permutation holds each number once', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 0, max: 300 }), (seed, n) => {
      const order = new RandomStream(seed, 'permutation').permutation(n);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }),
    { numRuns: 50 },
  );
});

test('all permutations are equally likely', () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const key = new RandomStream(seed, 'permutation').permutation(3).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  // 99.9 % quantile with 5 degrees of freedom
  expect(chiSquare).toBeLessThan(20.5);
});

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}
