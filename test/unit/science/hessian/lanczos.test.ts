import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import type { Eigenpairs } from '../../../../science/hessian/certify.ts';
import { type LanczosState, lanczos } from '../../../../science/hessian/lanczos.ts';
import { NotFiniteError } from '../../../../science/hessian/step.ts';
import { matrixWith } from '../oracle/dense-matrix.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const defaults = { tf, tolerance: 1e-5, maxProducts: 1000, seed: 7 };

function expectOrthonormal({ vectors, eigenvalues, orthonormality }: Eigenpairs, size: number) {
  let largest = 0;
  for (let i = 0; i < eigenvalues.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += vectors[i * size + k]! * vectors[j * size + k]!;
      largest = Math.max(largest, Math.abs(sum - (i === j ? 1 : 0)));
    }
  }
  expect(Math.abs(orthonormality - largest)).toBeLessThan(3e-7);
  expect(largest).toBeLessThan(1e-6);
}

describe('the largest eigenpairs', () => {
  test('of a spectrum with a long tail, found before all of it was explored', async () => {
    const eigenvalues = Array.from({ length: 150 }, (_, i) => 10 / (1 + i) ** 1.5);
    const { size, product } = matrixWith(eigenvalues);
    const pairs = await lanczos({ size, product, top: 6, ...defaults });
    for (const [k, value] of pairs.eigenvalues.entries())
      expect(Math.abs(value - eigenvalues[k]!)).toBeLessThan(1e-6);
    expect(Math.max(...pairs.residuals)).toBeLessThan(1e-5 * 10);
    expect(pairs.converged).toBe(6);
    expect(pairs.products).toBeLessThan(120);
    expectOrthonormal(pairs, size);
  });

  test('are the algebraically largest, not the largest in magnitude', async () => {
    const eigenvalues = Array.from({ length: 60 }, (_, i) => (i < 20 ? -100 - i : i / 10));
    const { size, product } = matrixWith(eigenvalues);
    const pairs = await lanczos({ size, product, top: 3, ...defaults });
    for (const [k, expected] of [5.9, 5.8, 5.7].entries())
      expect(pairs.eigenvalues[k]).toBeCloseTo(expected, 3);
  });

  test('of multiple eigenvalues come with all their copies once the subspace is invariant', async () => {
    const eigenvalues = Array.from({ length: 40 }, (_, i) => (i < 4 ? 3 : i < 6 ? 2 : 1));
    const { size, product } = matrixWith(eigenvalues);
    const pairs = await lanczos({ size, product, top: 6, ...defaults });
    for (const [k, expected] of [3, 3, 3, 3, 2, 2].entries())
      expect(pairs.eigenvalues[k]).toBeCloseTo(expected, 5);
    expectOrthonormal(pairs, size);
  });

  test('of a matrix of low rank include its zeros', async () => {
    const { size, product } = matrixWith(Array.from({ length: 30 }, (_, i) => (i < 2 ? 5 - i : 0)));
    const pairs = await lanczos({ size, product, top: 5, ...defaults });
    for (const [k, expected] of [5, 4, 0, 0, 0].entries())
      expect(pairs.eigenvalues[k]).toBeCloseTo(expected, 5);
    expectOrthonormal(pairs, size);
  });

  test('are all of them where more are asked for than there are', async () => {
    const eigenvalues = [4, 3, 2.5, 1, -2];
    const { size, product } = matrixWith(eigenvalues);
    const pairs = await lanczos({ size, product, top: 9, ...defaults });
    expect(pairs.eigenvalues).toHaveLength(5);
    for (const [k, expected] of eigenvalues.entries()) expect(pairs.eigenvalues[k]).toBeCloseTo(expected, 5);
  });

  test('of the zero matrix are zero', async () => {
    const { size, product } = matrixWith(new Array(12).fill(0));
    const pairs = await lanczos({ size, product, top: 2, ...defaults });
    expect([...pairs.eigenvalues]).toEqual([0, 0]);
  });
});

test('says how many pairs converged where the products did not suffice', async () => {
  const { size, product } = matrixWith(Array.from({ length: 200 }, (_, i) => 1 + i / 200));
  const pairs = await lanczos({ size, product, top: 10, ...defaults, maxProducts: 20 });
  expect(pairs.products).toBe(20);
  expect(pairs.converged).toBeLessThan(10);
  expect(Math.max(...pairs.residuals)).toBeGreaterThan(1e-5 * 2);
});

test('goes on from any step with equal bits, and with no product more than undisturbed', async () => {
  const { size, product, counter } = matrixWith(Array.from({ length: 80 }, (_, i) => 8 / (1 + i)));
  const states: LanczosState[] = [];
  let basis: Float32Array[] = [];
  let [alphas, betas]: number[][] = [[], []];
  const options = { size, product, top: 5, ...defaults };
  const whole = await lanczos({
    ...options,
    async onStep({ products, vector, next, alpha, beta, sweep }) {
      basis = [...basis, vector];
      alphas = [...alphas!, alpha];
      betas = [...betas!, beta];
      states.push({ products, basis, next, alphas, betas, sweep });
    },
    async onRestart(state) {
      basis = state.basis.map((row) => row.slice());
      [alphas, betas] = [[...state.alphas], [...state.betas]];
      states.push({ ...state, basis, alphas, betas });
    },
  });
  expect(states.some(({ sweep }) => sweep.index > 0)).toBe(true);
  for (const resume of states) {
    counter.products = 0;
    expect(await lanczos({ ...options, resume })).toEqual(whole);
    expect(counter.products).toBe(whole.products - resume.products + 5);
  }
});

test('a product that is not finite is an error, not a result', async () => {
  const product = async (vector: Float32Array) => new Float64Array(vector.length).fill(Number.NaN);
  await expect(lanczos({ size: 9, product, top: 2, ...defaults })).rejects.toThrow(NotFiniteError);
});
