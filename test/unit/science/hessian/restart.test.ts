import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import {
  type Eigenpairs,
  type LanczosOptions,
  type LanczosState,
  lanczos,
  leastVectors,
} from '../../../../science/hessian/lanczos.ts';
import { matrixWith } from '../oracle/dense-matrix.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const defaults = { tf, tolerance: 1e-5, maxProducts: 3000, seed: 7 };

const spectra: Record<string, number[]> = {
  'a long tail': Array.from({ length: 260 }, (_, i) => 20 / (1 + i)),
  clusters: Array.from({ length: 220 }, (_, i) =>
    i < 8 ? 10 + i * 1e-3 : i < 16 ? 6 - i * 2e-3 : (1.5 * (220 - i)) / 220,
  ),
  'negative eigenvalues': Array.from({ length: 240 }, (_, i) => (i % 2 === 0 ? 9 : -12) / (1 + i / 3)),
};

describe.each(Object.entries(spectra))('a matrix with %s, within the least memory', (_, eigenvalues) => {
  const top = 16;
  const maxVectors = leastVectors(top);
  const { size, product } = matrixWith(eigenvalues);

  test.each(['algebraic', 'magnitude'] as const)('has the first eigenpairs, %s', async (order) => {
    const rank = (value: number) => (order === 'magnitude' ? Math.abs(value) : value);
    const expected = [...eigenvalues].sort((a, b) => rank(b) - rank(a)).slice(0, top);
    expected.sort((a, b) => b - a);
    const held: number[] = [];
    let restarts = 0;
    let basis = 0;
    const pairs = await lanczos({
      ...defaults,
      ...{ size, product, top, order, maxVectors },
      async onStep() {
        held.push(++basis);
      },
      async onRestart({ basis: kept }) {
        restarts++;
        // While a restart runs, the old basis is there and the new one.
        held.push(basis + kept.length);
        basis = kept.length;
      },
    });
    held.push(basis + top);
    expect(restarts).toBeGreaterThan(1);
    expect(Math.max(...held)).toBeLessThanOrEqual(maxVectors);
    expect(pairs.converged).toBe(top);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [k, value] of pairs.eigenvalues.entries())
      expect(Math.abs(value - expected[k]!)).toBeLessThan(2e-6 * largest);
    expect(Math.max(...pairs.residuals)).toBeLessThan(1e-5 * largest);
    expect(pairs.orthonormality).toBeLessThan(1e-6);
    await expectHonestResiduals(pairs, size, product);
  });

  test('needs few products more than without a bound', async () => {
    const options = { ...defaults, size, product, top };
    const [free, bound] = [await lanczos(options), await lanczos({ ...options, maxVectors })];
    expect(bound.products).toBeGreaterThanOrEqual(free.products);
    expect(bound.products).toBeLessThan(1.6 * free.products);
  });
});

test('a bound that is too small is an error that says what is needed', async () => {
  const { size, product } = matrixWith(spectra['a long tail']!);
  const bound = lanczos({ ...defaults, size, product, top: 16, maxVectors: leastVectors(16) - 1 });
  await expect(bound).rejects.toThrow(
    /16 eigenpairs need room for at least 48 vectors; there is room for 47/,
  );
});

test('goes on from every step and every restart with equal bits, and with no product more', async () => {
  const top = 6;
  const { size, product, counter } = matrixWith(Array.from({ length: 120 }, (_, i) => 8 - i / 15));
  const options: LanczosOptions = { ...defaults, size, product, top, maxVectors: leastVectors(top) };
  const states: LanczosState[] = [];
  let state = { products: 0, basis: [] as Float32Array[], alphas: [] as number[], betas: [] as number[] };
  let restarts = 0;
  const whole = await lanczos({
    ...options,
    async onStep({ products, vector, next, alpha, beta, sweep }) {
      const { basis, alphas, betas } = state;
      state = { products, basis: [...basis, vector], alphas: [...alphas, alpha], betas: [...betas, beta] };
      states.push({ ...state, next, sweep });
    },
    async onRestart(kept) {
      state = {
        ...kept,
        basis: kept.basis.map((row) => row.slice()),
        alphas: [...kept.alphas],
        betas: [...kept.betas],
      };
      restarts++;
      states.push({ ...state, next: kept.next, sweep: kept.sweep });
    },
  });
  expect(restarts).toBeGreaterThan(2);
  for (const resume of states) {
    counter.products = 0;
    expect(await lanczos({ ...options, resume })).toEqual(whole);
    expect(counter.products).toBe(whole.products - resume.products + top);
  }
});

async function expectHonestResiduals(
  { eigenvalues, vectors, residuals }: Eigenpairs,
  size: number,
  product: (vector: Float32Array) => Promise<Float64Array>,
) {
  for (const [k, value] of eigenvalues.entries()) {
    const vector = vectors.subarray(k * size, (k + 1) * size);
    const image = await product(vector);
    const squares = image.reduce((sum, entry, i) => sum + (entry - value * vector[i]!) ** 2, 0);
    expect(Math.abs(Math.sqrt(squares) - residuals[k]!)).toBeLessThan(1e-12 * Math.abs(eigenvalues[0]!));
  }
}
