import { describe, expect, test } from 'vitest';
import { deviationOf } from '../../../cli/checks/orthonormality.ts';

/** Rows of a Hadamard matrix: orthonormal to the bit. */
function hadamard(count: number, size: number): Float32Array[] {
  const parity = (bits: number) => {
    let odd = 0;
    for (let rest = bits; rest > 0; rest &= rest - 1) odd ^= 1;
    return odd;
  };
  const scale = 1 / Math.sqrt(size);
  return Array.from({ length: count }, (_, row) =>
    Float32Array.from({ length: size }, (_, column) => (parity(row & column) ? -scale : scale)),
  );
}

describe.each([40, 700])('the deviation of %i vectors from orthonormality', (count) => {
  test('is rounding for orthonormal ones', () => {
    const { measured, bound } = deviationOf(hadamard(count, 1024));
    expect(measured).toBeLessThan(1e-12);
    expect(measured).toBeLessThan(bound(1e-12));
  });

  test('shows one pair that is not orthogonal, and one length that is not 1', () => {
    const error = 1e-3;
    const skew = hadamard(count, 1024);
    for (let i = 0; i < 1024; i++) skew[7]![i]! += error * skew[30]![i]!;
    const long = hadamard(count, 1024);
    for (let i = 0; i < 1024; i++) long[9]![i]! *= 1 + error;
    for (const vectors of [skew, long]) {
      const { measured, bound } = deviationOf(vectors);
      expect(measured).toBeGreaterThan(0.5 * error);
      expect(measured).toBeLessThan(bound(2 * error));
      expect(measured).toBeGreaterThan(bound(error / 200));
    }
  });
});
