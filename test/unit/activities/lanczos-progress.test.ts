import { expect, test } from 'vitest';
import { LanczosProgress } from '../../../activities/lanczos-progress.ts';
import type { Progress } from '../../../activities/stage.ts';

/**
 * Steps at which the number of converged pairs had grown, in the search for 60 eigenpairs of the Hessian of a small LeNet on 400 digits; then came
 * 123 products outside of the basis and the 60 residuals.
 */
const converged: readonly (readonly [number, number])[] = [
  ...([
    [9, 1],
    [15, 3],
    [17, 4],
    [23, 5],
    [25, 6],
    [28, 8],
    [31, 9],
    [32, 12],
    [35, 13],
    [36, 15],
    [40, 18],
  ] as const),
  ...([
    [43, 20],
    [51, 21],
    [54, 25],
    [58, 29],
    [63, 27],
    [68, 31],
    [75, 32],
    [80, 34],
    [84, 38],
    [90, 39],
  ] as const),
  ...([
    [95, 41],
    [99, 43],
    [105, 45],
    [109, 48],
    [115, 49],
    [119, 51],
    [123, 54],
    [127, 58],
    [133, 59],
  ] as const),
];
const steps = 134;
const sweeps = 123;
const top = 60;

test('the end of a Hessian is foreseen within a factor of two after a tenth of its products, and done never shrinks', () => {
  const progress = new LanczosProgress(top, 0, 0);
  const said: Progress[] = [];
  for (let step = 1; step <= steps; step++) {
    said.push(progress.step(converged.findLast(([at]) => at <= step)?.[1] ?? 0));
  }
  for (let sweep = 0; sweep < sweeps; sweep++) said.push(progress.sweep());
  for (let pair = 0; pair < top; pair++) said.push(progress.residual());
  const products = steps + sweeps + top;
  expect(said.map(({ done }) => done)).toEqual(Array.from({ length: products }, (_, index) => index + 1));
  expect(said.at(-1)).toMatchObject({ done: products, total: products });
  for (const { done, total } of said) {
    expect(total).toBeGreaterThanOrEqual(done);
    if (done < products / 10) continue;
    const ratio = (total - done + 1) / (products - done + 1);
    expect(ratio, `after ${done}`).toBeGreaterThan(1 / 2);
    expect(ratio, `after ${done}`).toBeLessThan(2);
  }
});

test('a search that goes on counts what was done before', () => {
  expect(new LanczosProgress(10, 30, 0).step(5)).toMatchObject({ done: 31 });
  expect(new LanczosProgress(10, 30, 9).residual()).toMatchObject({ done: 40, total: 40 });
});
