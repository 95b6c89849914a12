import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { quadratureRule } from '../../../../science/hessian/density.ts';
import { lanczos } from '../../../../science/hessian/lanczos.ts';
import { hutchPlusPlus } from '../../../../science/hessian/trace.ts';
import { RandomStream } from '../../../../science/random.ts';
import { matrixWith } from '../oracle/dense-matrix.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const eigenvalues = Array.from({ length: 200 }, (_, i) => (i < 10 ? 50 - 4 * i : Math.cos(i)));
const exact = eigenvalues.reduce((sum, value) => sum + value, 0);
const { size, product, matrix } = matrixWith(eigenvalues);

describe('the trace by Hutch++', () => {
  test('is exact where the sketch spans a matrix of low rank', async () => {
    const low = matrixWith(Array.from({ length: 60 }, (_, i) => (i < 5 ? 3 - i : 0)));
    const { trace, standardError } = await hutchPlusPlus({ tf, ...low, sketch: 8, probes: 4, seed: 1 });
    expect(Math.abs(trace - 5)).toBeLessThan(1e-5);
    expect(standardError).toBeLessThan(1e-5);
  });

  test('lies within its standard error of the truth, over many seeds', async () => {
    const deviations: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const { trace, standardError } = await hutchPlusPlus({
        tf,
        size,
        product,
        sketch: 12,
        probes: 12,
        seed,
      });
      deviations.push((trace - exact) / standardError);
    }
    // Student's t with 11 degrees of freedom: mean 0, variance 11 / 9.
    const mean = deviations.reduce((sum, x) => sum + x, 0) / deviations.length;
    const variance = deviations.reduce((sum, x) => sum + x * x, 0) / deviations.length;
    expect(Math.abs(mean)).toBeLessThan(0.5);
    expect(variance).toBeGreaterThan(0.6);
    expect(variance).toBeLessThan(2.2);
  });

  test('with known eigenpairs is far more certain than without, and goes on from any sample with equal bits', async () => {
    const pairs = await lanczos({ tf, size, product, top: 10, tolerance: 1e-6, maxProducts: 500, seed: 0 });
    const known = Array.from({ length: 10 }, (_, i) => pairs.vectors.subarray(i * size, (i + 1) * size));
    const knownTrace = pairs.eigenvalues.reduce((sum, value) => sum + value, 0);
    const options = { tf, size, product, sketch: 0, probes: 20, seed: 5 };
    const samples: number[] = [];
    const onSample = async (sample: number) => void samples.push(sample);
    const deflated = await hutchPlusPlus({ ...options, known, knownTrace, onSample });
    const plain = await hutchPlusPlus(options);
    expect(deflated.standardError).toBeLessThan(plain.standardError / 4);
    expect(Math.abs(deflated.trace - exact)).toBeLessThan(4 * deflated.standardError);
    expect(deflated.within).toBe(knownTrace);
    const resumed = await hutchPlusPlus({ ...options, known, knownTrace, resume: samples.slice(0, 7) });
    expect(resumed).toEqual(deflated);
  });
});

describe('a quadrature rule of the spectral density', () => {
  test("has the moments of its start vector's measure, up to degree 2 * steps - 1", async () => {
    const steps = 4;
    const { nodes, weights } = await quadratureRule({ tf, size, product, steps, seed: 2 }, 0);
    expect(nodes).toHaveLength(steps);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    // The same random start vector, multiplied by the dense matrix in double precision.
    const random = new RandomStream(2, 'density', 0);
    const start = Array.from({ length: size }, () => random.normal());
    const length = Math.hypot(...start);
    const rows = matrix.to2DArray();
    let power = start.map((value) => value / length);
    for (let degree = 0; degree < 2 * steps; degree++) {
      const moment = power.reduce((sum, value, i) => sum + (value * start[i]!) / length, 0);
      const ofRule = nodes.reduce((sum, node, j) => sum + weights[j]! * node ** degree, 0);
      expect(Math.abs(ofRule - moment)).toBeLessThan(1e-5 * 50 ** degree);
      power = rows.map((row) => row.reduce((sum, entry, i) => sum + entry * power[i]!, 0));
    }
  });

  test('is the spectrum itself once all of the space was explored, and ends there', async () => {
    const three = matrixWith(Array.from({ length: 30 }, (_, i) => [4, 1, -2][i % 3]!));
    const { nodes, weights } = await quadratureRule({ tf, ...three, steps: 20, seed: 1 }, 0);
    expect(nodes).toHaveLength(3);
    for (const [j, value] of [4, 1, -2].entries()) expect(nodes[j]).toBeCloseTo(value, 5);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
  });

  test('counts eigenvalues, on the average over probes', async () => {
    const probes = 40;
    let large = 0;
    for (let probe = 0; probe < probes; probe++) {
      const { nodes, weights } = await quadratureRule({ tf, size, product, steps: 40, seed: 9 }, probe);
      large += nodes.reduce((sum, node, j) => sum + (node > 5 ? weights[j]! : 0), 0) / probes;
    }
    // The share along 10 of 200 random directions: mean 1 / 20, standard deviation about sqrt(2 * 10) / 200.
    expect(Math.abs(large - 10 / 200)).toBeLessThan((4 * Math.sqrt(20)) / 200 / Math.sqrt(probes));
  });
});
