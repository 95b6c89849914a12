import { describe, expect, it } from 'vitest';
import {
  displacementLags,
  exponentLags,
  measureDisplacement,
  verdictOf,
} from '../../../../science/analysis/displacement.ts';
import { RandomStream } from '../../../../science/random.ts';
import type { Sampling } from '../../../../science/sampling.ts';
import { weightStructureFunction } from '../../../../science/theory/autocovariance.ts';
import { displacementCovariance } from '../../../../science/theory/displacement.ts';
import { epochsOfOneDraw } from '../../../../science/theory/noise.ts';
import { relative } from '../theory/oracles.ts';
import { runQuadratic } from './quadratic-sgd.ts';

const base = { learningRate: 0.1, momentum: 0, batchesPerEpoch: 20 };

describe('the theory of displacements, 2 B(h)', () => {
  const flat = (sampling: Sampling, lags: number, momentum = 0) =>
    weightStructureFunction({ ...base, momentum, sampling, eigenvalue: 1e-13 }, lags).map(
      (b) => (2 * b) / 0.01,
    );

  it('is a random walk with replacement in a flat direction', () => {
    for (const [h, value] of flat('with-replacement', 400).entries()) expect(value).toBeCloseTo(h, 6);
    // Momentum makes the steps longer: 1 / (1 - beta)^2 a step in the long run.
    const walk = flat('with-replacement', 4000, 0.5);
    expect(walk[4000]! - walk[3999]!).toBeCloseTo(4, 4);
  });

  it('is that of a bridge, bounded, without: h (M - h) / (M - 1) and its like at a mean position, then 2 sigma_theta^2', () => {
    const m = 20;
    const bridges = flat('without-replacement', 400);
    // Of the M positions M - h lie in the epoch of their partner; else both are of bridges that know nothing of each other.
    const variance = (t: number) => (t * (m - t)) / (m - 1);
    for (let h = 1; h <= 400; h++) {
      let sum = 0;
      for (let t = 0; t < m; t++) sum += t + h <= m ? variance(h) : variance(t) + variance((t + h) % m);
      expect(bridges[h]).toBeCloseTo(sum / m, 6);
    }
    expect(bridges[400]).toBeCloseTo((2 * (m + 1)) / 6, 6);
  });

  it('is 2 (1 - r^h) / (1 - r^2) for an autoregressive process of first order', () => {
    const r = 1 - 0.1 * 3;
    const process = { ...base, sampling: 'with-replacement', eigenvalue: 3 } as const;
    for (const [h, b] of weightStructureFunction(process, 60).entries())
      expect((2 * b) / 0.01).toBeCloseTo((2 * (1 - r ** h)) / (1 - r ** 2), 10);
  });
});

describe('the covariance of mean square displacements', () => {
  it('equals the double sum over both starts', () => {
    const process = { ...base, momentum: 0.4, sampling: 'without-replacement', eigenvalue: 0.5 } as const;
    const structure = weightStructureFunction(process, 200);
    const gamma = (lag: number) => -structure[Math.abs(lag)]!;
    for (const [a, b] of [
      [
        { lag: 3, starts: 40 },
        { lag: 3, starts: 40 },
      ],
      [
        { lag: 1, starts: 60 },
        { lag: 25, starts: 30 },
      ],
      [
        { lag: 25, starts: 30 },
        { lag: 1, starts: 60 },
      ],
    ] as const) {
      let sum = 0;
      for (let t = 0; t < a.starts; t++) {
        for (let u = 0; u < b.starts; u++) {
          const c = gamma(u + b.lag - t - a.lag) - gamma(u - t - a.lag) - gamma(u + b.lag - t) + gamma(u - t);
          sum += 2 * c * c;
        }
      }
      expect(relative(displacementCovariance(structure, a, b), sum / a.starts / b.starts)).toBeLessThan(
        1e-10,
      );
    }
  });

  it('is that of a random walk in simulations, also where lags are as long as the series is', () => {
    const structure = Float64Array.from({ length: 101 }, (_, h) => h / 2);
    const random = new RandomStream(3, 'walks');
    const runs = 20_000;
    let [sum, squares] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const walk = [0];
      for (let k = 1; k <= 60; k++) walk.push(walk[k - 1]! + random.normal());
      let mean = 0;
      for (let t = 0; t < 20; t++) mean += (walk[t + 40]! - walk[t]!) ** 2 / 20;
      sum += mean / runs;
      squares += mean ** 2 / runs;
    }
    const ends = { lag: 40, starts: 20 };
    expect(relative(squares - sum ** 2, displacementCovariance(structure, ends, ends))).toBeLessThan(0.06);
  });
});

describe('displacements measured', () => {
  const epochs = 400;
  const steps = epochs * base.batchesPerEpoch;
  const directions = 60;
  const lagsOf = (sampling: Sampling) =>
    displacementLags(20, steps / 10, base.batchesPerEpoch * epochsOfOneDraw(sampling));
  /** 60 directions of one eigenvalue, each with examples of its own. */
  function measure(sampling: Sampling, eigenvalue: number, momentum = 0, theory = sampling) {
    const setting = { ...base, momentum, epochs, batchSize: 2, warmup: 20, seed: 3 };
    const eigenvalues = new Array<number>(directions).fill(Math.max(eigenvalue, 0));
    const noise = eigenvalues.map(() => 1);
    const { theta } = runQuadratic({ ...setting, sampling, eigenvalues, noise });
    return eigenvalues.map((_, i) =>
      measureDisplacement(
        {
          ...{ ...base, momentum, sampling: theory, steps, drift: 'mean', blocks: 10, eigenvalue },
          theta: Float64Array.from({ length: steps }, (_, k) => theta[k * directions + i]!),
        },
        lagsOf(theory),
      ),
    );
  }
  const deviations = (found: ReturnType<typeof measure>) =>
    found.flatMap(({ measured, theory, standardError }) =>
      [...measured].map((value, row) => (value - theory[row]!) / standardError[row]!),
    );
  const rootMeanSquare = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
  const told = (found: ReturnType<typeof measure>, verdict: number) =>
    found.filter((one) => one.verdict === verdict).length;

  it.each([
    ['without-replacement', 0.001, 0.5],
    ['without-replacement', 1, 0],
    ['paired-reversal', 0.01, 0],
    ['with-replacement', 1, 0.5],
  ] as const)(
    '%s, lambda = %d: agree with theory at every lag, and are stationary',
    (sampling, eigenvalue, momentum) => {
      const found = measure(sampling, eigenvalue, momentum);
      const off = rootMeanSquare(deviations(found));
      expect(off).toBeGreaterThan(0.6);
      expect(off).toBeLessThan(1.4);
      expect(told(found, 1)).toBeGreaterThan(0.95 * directions);
      expect(found[0]!.relaxations).toBeCloseTo((steps * 0.1 * eigenvalue) / (1 - momentum), 8);
    },
  );

  it('with-replacement in a flat direction are those of a random walk, and diffuse', () => {
    for (const eigenvalue of [1e-7, 0]) {
      const found = measure('with-replacement', eigenvalue);
      for (const { exponentTheory } of found) expect(exponentTheory).toBeCloseTo(1, 2);
      expect(told(found, 1)).toBeLessThan(0.05 * directions);
      expect(told(found, -1)).toBeGreaterThan(0.3 * directions);
      const mean = found.reduce((sum, { measured }) => sum + measured.at(-1)! / directions, 0);
      const expected = found.reduce((sum, { theory }) => sum + theory.at(-1)! / directions, 0);
      expect(Math.abs(mean / expected - 1)).toBeLessThan(0.25);
      // The theory of an order without replacement is far off.
      expect(
        mean / measure('with-replacement', eigenvalue, 0, 'without-replacement')[0]!.theory.at(-1)!,
      ).toBeGreaterThan(20);
    }
  });

  it('have no exponent within two periods of the noise, and none where SGD is unstable', () => {
    expect(exponentLags(39, 20)).toBeUndefined();
    expect(exponentLags(45, 20)).toEqual([20, 40]);
    expect(exponentLags(800, 20)).toEqual([100, 800]);
    const one = {
      ...{ ...base, sampling: 'with-replacement' as const, steps: 400, drift: 'mean' as const, blocks: 10 },
      theta: Float64Array.from({ length: 400 }, (_, k) => Math.sin(k)),
    };
    expect(() => measureDisplacement({ ...one, eigenvalue: 1 }, Int32Array.of(1, 39, 45))).toThrow(
      /must have 20 and 40 among them/,
    );
    const short = measureDisplacement({ ...one, eigenvalue: 1 }, displacementLags(5, 30, 20));
    expect(short.exponent).toBeNaN();
    expect(short.verdict).toBe(0);
    const unstable = measureDisplacement({ ...one, eigenvalue: 30 }, displacementLags(5, 40, 20));
    expect(unstable.theory.every(Number.isNaN)).toBe(true);
    expect(unstable.verdict).toBe(0);
  });

  it('are told to be stationary or not by two standard errors', () => {
    expect(verdictOf(0.1, 0.1)).toBe(1);
    expect(verdictOf(0.9, 0.1)).toBe(-1);
    expect([verdictOf(0.4, 0.1), verdictOf(0.6, 0.1), verdictOf(Number.NaN, 1)]).toEqual([0, 0, 0]);
  });
});
