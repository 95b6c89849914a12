import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../../science/random.ts';
import {
  antiCorrelatedNoiseVariances,
  antiPgdValleyTrace,
  whiteNoiseVariances,
} from '../../../../science/theory/injected-noise.ts';
import { relative } from './oracles.ts';

/** psi_j: theta_j of gradient descent that was kicked once, by 1. */
function impulseResponse(learningRate: number, momentum: number, eigenvalue: number): Float64Array {
  const psi = new Float64Array(4000);
  let [weight, velocity] = [0, 1];
  for (let j = 0; j < psi.length; j++) {
    weight += velocity;
    psi[j] = weight;
    velocity = momentum * velocity - learningRate * eigenvalue * weight;
  }
  return psi;
}

const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value ** 2, 0);
const difference = (values: Float64Array) => values.map((value, j) => value - (values[j - 1] ?? 0));

describe('gradient descent with injected noise', () => {
  it.each([
    [0.1, 0, 1],
    [0.1, 0.6, 0.8],
    [0.05, 0.9, 70],
    [0.5, 0.3, 0.04],
  ])('eta %d, beta %d, lambda %d: the sums of squares of its impulse responses', (eta, beta, lambda) => {
    const process = { learningRate: eta, momentum: beta, eigenvalue: lambda };
    const weight = impulseResponse(eta, beta, lambda);
    const white = whiteNoiseVariances(process);
    expect(white.stable).toBe(true);
    expect(relative(white.weightVariance, squares(weight))).toBeLessThan(1e-9);
    expect(relative(white.velocityVariance, squares(difference(weight)))).toBeLessThan(1e-9);
    // Noise xi_k - xi_{k-1} has the differences of the response as its own.
    const anti = antiCorrelatedNoiseVariances(process);
    expect(anti.stable).toBe(true);
    expect(relative(anti.weightVariance, squares(difference(weight)))).toBeLessThan(1e-9);
    expect(relative(anti.velocityVariance, squares(difference(difference(weight))))).toBeLessThan(1e-9);
  });

  it('has no stationary state where steps are too long', () => {
    const process = { learningRate: 1, momentum: 0.5, eigenvalue: 3.1 };
    for (const got of [whiteNoiseVariances(process), antiCorrelatedNoiseVariances(process)])
      expect(got).toEqual({ stable: false, weightVariance: Number.NaN, velocityVariance: Number.NaN });
  });
});

describe('the mean path of Anti-PGD in the widening valley', () => {
  it('is that of runs, as long as they scatter little about it', () => {
    const setting = { learningRate: 0.1, width: 3, variance: 1e-3 };
    const [steps, runs, amplitude] = [30, 400, Math.sqrt(setting.variance)];
    const random = new RandomStream(5, 'valley');
    const sums = new Float64Array(steps);
    for (let run = 0; run < runs; run++) {
      const u = new Float64Array(3).fill(0.5);
      let v = 1.2;
      // theta = z + xi: the noise of a step is taken back by the next.
      let before = new Float64Array(4);
      for (let k = 0; k < steps; k++) {
        const noise = Float64Array.from({ length: 4 }, () => amplitude * random.normal());
        const length = squares(u);
        const descent = u.map((value) => setting.learningRate * v ** 2 * value);
        v += -setting.learningRate * length * v + noise[3]! - before[3]!;
        for (let i = 0; i < 3; i++) u[i]! += -descent[i]! + noise[i]! - before[i]!;
        before = noise;
        sums[k]! += setting.width * v ** 2 + squares(u);
      }
    }
    const theory = antiPgdValleyTrace(setting, { uSquared: 0.75, v: 1.2 }, steps);
    expect(theory).toHaveLength(steps);
    for (let k = 0; k < steps; k++) expect(Math.abs(sums[k]! / runs / theory[k]! - 1)).toBeLessThan(0.01);
  });

  it('is its recursion, step by step, and ends at 2 d sigma^2 where the valley is flat', () => {
    // u_1^2 = 4 (1 - 0.1 (9 + 2))^2, v_1 = 3 (1 - 0.1 (4 + 5 * 2)).
    const start = { uSquared: 4, v: 3 };
    const [first] = antiPgdValleyTrace({ learningRate: 0.1, width: 5, variance: 2 }, start, 1);
    expect(first).toBeCloseTo(5 * 1.2 ** 2 + 4 * 0.1 ** 2 + 20, 12);
    const ends = antiPgdValleyTrace({ learningRate: 0.1, width: 5, variance: 0.1 }, start, 4000);
    expect(ends.at(-1)).toBeCloseTo(2 * 5 * 0.1, 9);
  });
});
