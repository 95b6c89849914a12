import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { type LanczosOptions, lanczos, leastVectors } from '../../../../science/hessian/lanczos.ts';
import { matrixWith } from '../oracle/dense-matrix.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const tolerance = 1e-5;

/** The first `top` eigenvalues, each as often as it is there, largest first: what the prescribed spectrum says. */
function firstOf(spectrum: readonly number[], top: number, order: 'algebraic' | 'magnitude'): number[] {
  const rank = (value: number) => (order === 'magnitude' ? Math.abs(value) : value);
  return [...spectrum]
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, top)
    .sort((a, b) => b - a);
}

async function expectFirst(
  spectrum: readonly number[],
  top: number,
  more: Partial<LanczosOptions> = {},
): Promise<Awaited<ReturnType<typeof lanczos>>> {
  const { size, product } = matrixWith([...spectrum]);
  const order = more.order ?? 'algebraic';
  const options = { tf, size, product, top, tolerance, maxProducts: 40 * top + 2000, seed: 5, ...more };
  const pairs = await lanczos(options);
  const expected = firstOf(spectrum, top, order);
  const scale = Math.max(...expected.map(Math.abs));
  const slack = 1.5 * options.tolerance * scale + 1e-9;
  expect(pairs.converged).toBe(expected.length);
  expect(pairs.orthonormality).toBeLessThan(2e-6);
  // Which of two comes first is open within the tolerance: by magnitude, they may be of either sign.
  const rank = (value: number) => (order === 'magnitude' ? Math.abs(value) : value);
  const byRank = (values: Iterable<number>) => [...values].map(rank).sort((a, b) => b - a);
  const wanted = byRank(expected);
  for (const [k, value] of byRank(pairs.eigenvalues).entries())
    expect(Math.abs(value - wanted[k]!), `${k} of ${expected}: ${pairs.eigenvalues}`).toBeLessThanOrEqual(
      slack,
    );
  for (const value of pairs.eigenvalues)
    expect(Math.min(...spectrum.map((one) => Math.abs(one - value)))).toBeLessThanOrEqual(slack);
  // The bound holds for everything that is not in the list.
  const next = byRank(spectrum)[expected.length];
  if (next !== undefined) {
    expect(pairs.outside.bound).toBeGreaterThanOrEqual(next - 1e-6 * (scale + 1));
    // Nor does it come before the last of the list.
    expect(Math.min(...pairs.eigenvalues.map(rank))).toBeGreaterThanOrEqual(next - slack);
  }
  const last = Math.min(...expected.map(rank));
  expect(pairs.outside.bound).toBeLessThanOrEqual(last + slack);
  return pairs;
}

const times = (count: number, value: number) => new Array<number>(count).fill(value);
const falling = (count: number) => Array.from({ length: count }, (_, i) => 20 * Math.exp(-i / 4));
const tail = (count: number) => Array.from({ length: count }, (_, i) => 1 / (2 + i));

describe('all copies of multiple eigenvalues are found, and nothing before the last is missed', () => {
  test.each<[string, readonly number[], number]>([
    ['each threefold', [9, 7, 5, 4, 3, 2].flatMap((value) => times(3, value)).concat(tail(60)), 10],
    ['the last wanted one cut through its copies', [...times(5, 4), ...times(5, 2), ...tail(40)], 7],
    ['a double one at the front', [...times(2, 10), 5, 4, 3, ...tail(80)], 4],
    [
      'hundreds of copies below a few large ones',
      [30, 20, 12, 8, 5, 3, ...times(300, 0.5), ...tail(60).map((v) => v / 4)],
      14,
    ],
    ['a multiple of the identity', times(40, 2), 5],
    ['nothing at all', times(30, 0), 4],
    ['low rank', [5, 5, 4, ...times(50, 0)], 6],
    ['all of them', [...times(4, 3), ...times(3, 1), ...times(3, -2)], 10],
    ['all but one', [...times(4, 3), ...times(3, 1), ...times(4, -2)], 10],
    [
      'copies far below what the tolerance is of the largest',
      [...falling(50), ...times(200, 2e-4), ...tail(50).map((v) => v * 1e-5)],
      60,
    ],
    [
      'a spectrum that falls by less than that from one to the next',
      Array.from({ length: 400 }, (_, i) => 20 / (1 + i)),
      100,
    ],
    ['one of the wanted far below', [1000, ...times(3, 1), ...times(4, 0.9), ...tail(40)], 6],
    ['copies apart by less than the tolerance', [4, 4 - 1e-6, 4 - 2e-6, 3, 3 - 1e-6, ...tail(50)], 5],
    ['negative ones behind', [...times(3, 2), ...times(4, -8), ...tail(40)], 5],
  ])('%s', async (_name, spectrum, top) => {
    for (const tolerance of [1e-3, 1e-4, 1e-5, 1e-6]) await expectFirst(spectrum, top, { tolerance });
  });

  test.each<[string, readonly number[], number]>([
    ['both signs', [...times(3, 6), ...times(3, -6), ...times(2, 4), -3, ...tail(60)], 9],
    ['negative copies', [...times(4, -9), 5, 3, ...tail(60)], 6],
  ])('by magnitude: %s', async (_name, spectrum, top) => {
    await expectFirst(spectrum, top, { order: 'magnitude' });
  });

  test.each([10, 14, 22])('within the least memory: %i of them', async (top) => {
    const spectrum = [9, 7, 5, 4, 3, 2].flatMap((value) => times(4, value)).concat(tail(200));
    await expectFirst(spectrum, top, { maxVectors: leastVectors(top) });
  });

  test.each<[string, readonly number[], number, number, Partial<LanczosOptions>]>([
    [
      'copies that come late',
      [...times(2, 0.5), ...times(2, 3.5), ...times(3, 7), ...tail(30)],
      12,
      1e-5,
      {},
    ],
    [
      'kept pairs that are coupled to the rest',
      [...times(3, 3), ...times(3, 2), -2, -2, -1, -1, -3, 0, 0],
      5,
      0.1,
      {},
    ],
    [
      'close to one another',
      [0.944, 0.548, 0.264, 0.239, 0.218, 0.198, 0.186, 0.152, 0.026],
      5,
      0.1,
      { order: 'magnitude' },
    ],
    [
      'of both signs, coupled to the rest',
      [-0.00423, 0.00028, 0.0235, -0.0000443, 0.0000209],
      3,
      1e-3,
      { order: 'magnitude' },
    ],
    ['large negative ones that give way', [-1.5, ...tail(8)], 3, 0.1, {}],
    ['copies of them', [...times(4, -1), ...tail(12)], 6, 0.1, {}],
    [
      'all negative',
      [-12, -11, ...times(2, -9), ...times(5, -7), ...times(3, -6), ...times(2, -10), -1, -1],
      8,
      0.1,
      {},
    ],
    [
      'a late one that is just there',
      [...times(3, 9.37), 9.342, 9.286, 7.99, 6.92, 6.89, 5.74, 6.83, 4.33],
      3,
      1e-3,
      {},
    ],
  ])('from any start: %s', async (_name, spectrum, top, tolerance, more) => {
    for (let seed = 0; seed < 60; seed++) await expectFirst(spectrum, top, { tolerance, seed, ...more });
  });

  test('for any spectrum with copies', async () => {
    const parts = fc.record({
      value: fc.integer({ min: -8, max: 16 }),
      copies: fc.integer({ min: 1, max: 5 }),
    });
    const spectrum = fc
      .tuple(fc.array(parts, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 30 }))
      .map(([some, rest]) => [
        ...some.flatMap(({ value, copies }) => times(copies, value / 2)),
        ...tail(rest),
      ]);
    await fc.assert(
      fc.asyncProperty(
        spectrum,
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        fc.constantFrom(1e-1, 1e-2, 1e-3, 1e-5),
        fc.nat(),
        async (values, top, magnitude, tolerance, seed) => {
          const order = magnitude ? 'magnitude' : 'algebraic';
          const first = firstOf(values, top, order);
          // Where a value of each sign is the last by magnitude, either may be taken.
          const last = Math.min(...first.map(Math.abs));
          fc.pre(!(magnitude && last > 0 && values.includes(last) && values.includes(-last)));
          // Of wanted eigenvalues that are far smaller than others, products in float32 do not have the tolerance.
          const largest = (all: readonly number[]) => Math.max(...all.map(Math.abs));
          fc.pre(tolerance * largest(first) > 3e-6 * largest(values));
          await expectFirst(values, top, { order, tolerance, seed });
        },
      ),
      { numRuns: 40 },
    );
  });
});

test('where nothing is multiple, the look outside is cheap', async () => {
  const spectrum = Array.from({ length: 600 }, (_, i) => 10 / (1 + i) ** 0.8);
  const pairs = await expectFirst(spectrum, 30);
  expect(pairs.outside.products).toBeLessThan(0.5 * pairs.products);
  expect(pairs.outside.failureProbability).toBe(2e-6);
});

test('a bound that could not be had is told', async () => {
  const { size, product } = matrixWith(Array.from({ length: 200 }, (_, i) => 1 + i / 200));
  const { outside } = await lanczos({ tf, size, product, top: 10, tolerance, maxProducts: 20, seed: 5 });
  expect(outside.bound).toBe(Number.POSITIVE_INFINITY);
});
