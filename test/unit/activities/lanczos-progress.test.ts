import { expect, test } from 'vitest';
import type { Progress } from '../../../activities/kinds/stage.ts';
import { LanczosProgress } from '../../../activities/stage-parts/lanczos-progress.ts';

/**
 * Steps at which the number of converged pairs had changed, in the search for 60 eigenpairs of the Hessian of LeNet on 400 images (those of the
 * benchmarks); then came 96 steps of a further sweep and the 60 residuals.
 */
const converged: readonly (readonly [number, number])[] = [
  ...([
    [14, 1],
    [15, 2],
    [16, 3],
    [19, 5],
    [25, 6],
    [36, 7],
    [41, 9],
    [45, 10],
    [48, 11],
    [49, 12],
    [53, 13],
  ] as const),
  ...([
    [54, 14],
    [56, 15],
    [58, 16],
    [59, 18],
    [63, 17],
    [64, 15],
    [65, 13],
    [67, 14],
    [71, 15],
    [72, 16],
    [74, 17],
  ] as const),
  ...([
    [76, 18],
    [78, 19],
    [82, 20],
    [86, 21],
    [90, 22],
    [96, 23],
    [97, 24],
    [100, 26],
    [103, 27],
    [105, 28],
    [111, 29],
  ] as const),
  ...([
    [117, 31],
    [125, 32],
    [135, 33],
    [137, 34],
    [141, 35],
    [143, 36],
    [147, 37],
    [149, 38],
    [157, 41],
    [159, 42],
    [163, 41],
  ] as const),
  ...([
    [177, 42],
    [179, 43],
    [181, 44],
    [183, 47],
    [197, 48],
    [208, 50],
    [214, 52],
    [217, 53],
    [220, 55],
    [226, 57],
    [232, 59],
  ] as const),
];
const steps = 234;
const sweeps = 96;
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
