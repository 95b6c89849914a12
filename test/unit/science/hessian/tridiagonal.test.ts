import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { restartOf, rotationByLanczos, rotationBySpectrum } from '../../../../science/hessian/restart.ts';
import { type EigenvalueOrder, ritzPairs, ritzValues } from '../../../../science/hessian/ritz.ts';
import { tridiagonalEigen } from '../../../../science/hessian/tridiagonal.ts';
import { RandomStream } from '../../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });

function dense(diagonal: readonly number[], beside: readonly number[]): Matrix {
  const matrix = Matrix.diag([...diagonal]);
  for (let i = 0; i + 1 < diagonal.length; i++) {
    matrix.set(i, i + 1, beside[i]!);
    matrix.set(i + 1, i, beside[i]!);
  }
  return matrix;
}

const random = new RandomStream(11, 'tridiagonal');
const many = <T>(count: number, f: (i: number) => T) => Array.from({ length: count }, (_, i) => f(i));
const matrices: Record<string, { diagonal: number[]; beside: number[] }> = {
  random: { diagonal: many(60, () => random.normal()), beside: many(60, () => random.normal()) },
  // Its largest eigenvalues agree in pairs to many digits (Wilkinson 1965).
  Wilkinson: { diagonal: many(31, (i) => Math.abs(i - 15)), beside: many(31, () => 1) },
  graded: { diagonal: many(40, (i) => 10 ** (-i / 4)), beside: many(40, (i) => 3 * 10 ** (-i / 4 - 1)) },
  // Sixty eigenvalues within 1e-7 of the largest, beside others far away: all of them are made orthogonal to one another.
  crowded: {
    diagonal: many(80, (i) => (i < 20 ? 1 / (i + 1) : 0.3 + 1e-9 * random.normal())),
    beside: many(80, (i) => (i < 20 ? 0.1 / (i + 1) : 1e-8)),
  },
  split: { diagonal: many(20, (i) => i % 3), beside: many(20, (i) => (i % 5 === 4 ? 0 : 0.5)) },
  zero: { diagonal: many(6, () => 0), beside: many(6, () => 0) },
  single: { diagonal: [-2], beside: [5] },
};

describe.each(Object.entries(matrices))('the tridiagonal matrix "%s"', (_, { diagonal, beside }) => {
  const m = diagonal.length;
  const matrix = dense(diagonal, beside);
  const norm = Math.max(1e-30, ...diagonal.map(Math.abs), ...beside.map(Math.abs));
  const { values, components } = tridiagonalEigen(
    diagonal,
    beside,
    many(m, (i) => i),
  );

  test('is T = sum of lambda z z^T, with orthonormal z', () => {
    const z = new Matrix(many(m, (i) => [...components.subarray(i * m, (i + 1) * m)]));
    const again = z
      .transpose()
      .mmul(Matrix.diag([...values]))
      .mmul(z);
    expect(Matrix.sub(again, matrix).norm()).toBeLessThan(1e-13 * norm * m);
    expect(Matrix.sub(z.mmul(z.transpose()), Matrix.eye(m)).norm()).toBeLessThan(1e-14 * m);
  });

  test('has the eigenvalues of the dense solver', () => {
    const expected = new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues;
    const sorted = (list: Iterable<number>) => [...list].sort((a, b) => a - b);
    for (const [i, value] of sorted(values).entries())
      expect(Math.abs(value - sorted(expected)[i]!)).toBeLessThan(1e-13 * norm * m);
  });

  test('has the same first and last components, to the bit, when only these are carried along', () => {
    const few = tridiagonalEigen(diagonal, beside, [0, m - 1]);
    expect(few.values).toEqual(values);
    for (let i = 0; i < m; i++) {
      expect(few.components[2 * i]).toBe(components[i * m]);
      expect(few.components[2 * i + 1]).toBe(components[i * m + m - 1]);
    }
  });

  test('has eigenvectors by inverse iteration: orthonormal, with residuals of rounding', () => {
    const pairs = ritzPairs(diagonal, beside, m, 'algebraic');
    const y = new Matrix(pairs.coordinates.map((row) => [...row]));
    expect(Matrix.sub(y.mmul(y.transpose()), Matrix.eye(m)).norm()).toBeLessThan(1e-9);
    const residuals = Matrix.sub(y.mmul(matrix), Matrix.diag(pairs.values).mmul(y));
    expect(residuals.norm()).toBeLessThan(1e-14 * norm * m);
    for (const [i, value] of [...values].sort((a, b) => b - a).entries())
      expect(Math.abs(value - pairs.values[i]!)).toBeLessThan(1e-13 * norm * m);
    for (const row of pairs.coordinates) {
      const largest = Math.max(...row.map(Math.abs));
      expect(row.find((component) => Math.abs(component) === largest)).toBe(largest);
    }
  });

  test.each<EigenvalueOrder>(['algebraic', 'magnitude'])('restarts onto the first third, %s', (order) => {
    const count = Math.ceil(m / 3);
    const pairs = ritzPairs(diagonal, beside, count, order);
    const { coefficients, alphas, betas } = restartOf(tf, pairs, beside[m - 1]!);
    const basis = new Matrix(many(count, (j) => [...coefficients.subarray(j * m, (j + 1) * m)]));
    // Coefficients are float32.
    expect(Matrix.sub(basis.mmul(basis.transpose()), Matrix.eye(count)).norm()).toBeLessThan(3e-7 * m);
    const projected = basis.mmul(matrix).mmul(basis.transpose());
    expect(Matrix.sub(projected, dense(alphas, betas)).norm()).toBeLessThan(3e-7 * norm * m);
    // What couples to the next vector is the last of the old basis: only the last of the new one has a share of it.
    for (let j = 0; j < count; j++) {
      const coupling = beside[m - 1]! * basis.get(j, m - 1);
      expect(Math.abs(coupling - (j === count - 1 ? betas[j]! : 0))).toBeLessThan(3e-7 * norm);
    }
    const again = ritzValues(alphas, betas, count, order);
    for (const [i, value] of again.values.entries())
      expect(Math.abs(value - pairs.values[i]!)).toBeLessThan(1e-12 * norm * m);
  });
});

test('a restart finds from the spectrum the basis that Lanczos finds, with couplings of any size', () => {
  const count = 90;
  const values = many(count, (i) => 1 / (i + 1) ** 1.2);
  const couplings = Float64Array.from(
    { length: count },
    (_, i) => 10 ** (i / 9 - 10) * (i % 3 === 0 ? -1 : 1),
  );
  const [found, expected] = [rotationBySpectrum(values, couplings)!, rotationByLanczos(values, couplings)];
  for (let j = 0; j < count; j++) {
    expect(Math.abs(found.alphas[j]! - expected.alphas[j]!)).toBeLessThan(1e-13);
    expect(Math.abs(found.betas[j]! - expected.betas[j]!)).toBeLessThan(1e-13);
    for (let i = 0; i < count; i++)
      expect(Math.abs(found.rows[j]![i]! - expected.rows[j]![i]!)).toBeLessThan(1e-9);
  }
});

test('a restart from equal eigenvalues, or without coupling, is left to Lanczos', () => {
  expect(rotationBySpectrum([2, 1, 1, 0.5], Float64Array.of(0.1, 0.3, -0.2, 0.4))).toBeUndefined();
  expect(rotationBySpectrum([2, 1], new Float64Array(2))).toBeUndefined();
});
