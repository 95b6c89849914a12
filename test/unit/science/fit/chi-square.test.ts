import { describe, expect, it } from 'vitest';
import { studentTCentral } from '../../../../science/analysis/student-t.ts';
import { chiSquareTail } from '../../../../science/fit/chi-square.ts';

/** Of an even number of degrees of freedom: exp(-x/2) sum_k (x/2)^k / k! (Abramowitz and Stegun 1964, 26.4.5). */
function evenTail(x: number, freedom: number): number {
  let term = Math.exp(-x / 2);
  let sum = 0;
  for (let k = 0; k < freedom / 2; k++) {
    sum += term;
    term *= x / 2 / (k + 1);
  }
  return sum;
}

/** By Simpson's rule in the root of the variable, where the density is smooth for one degree of freedom too. */
function integratedTail(x: number, freedom: number): number {
  const density = (root: number) => root ** (freedom - 1) * Math.exp(-(root ** 2) / 2);
  const area = (from: number, to: number): number => {
    const steps = 20_000;
    const width = (to - from) / steps;
    let sum = density(from) + density(to);
    for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(from + i * width);
    return (sum * width) / 3;
  };
  const far = Math.sqrt(freedom) + 40;
  return area(Math.sqrt(x), far) / area(0, far);
}

describe('chiSquareTail', () => {
  it.each([2, 4, 10, 58])('is the finite sum for %d degrees of freedom', (freedom) => {
    for (const x of [0.01, 0.5, 1, freedom - 1, freedom, freedom + 1.99, freedom + 2.01, 3 * freedom, 300]) {
      const exact = evenTail(x, freedom);
      expect(Math.abs(chiSquareTail(x, freedom) / exact - 1)).toBeLessThan(1e-11);
    }
  });

  it.each([1, 3, 7, 59])('is the integral of the density for %d degrees of freedom', (freedom) => {
    for (const x of [0.2, 1, freedom, 2 * freedom + 3]) {
      expect(chiSquareTail(x, freedom)).toBeCloseTo(integratedTail(x, freedom), 9);
    }
  });

  it('is the square of a normal variable for one degree of freedom', () => {
    // Student's t of many degrees of freedom is nearly normal: within 1 / freedom.
    expect(chiSquareTail(1, 1)).toBeCloseTo(1 - studentTCentral(1, 1_000_001), 6);
    expect(chiSquareTail(3.841, 1)).toBeCloseTo(0.05, 4);
    expect(chiSquareTail(2.706, 1)).toBeCloseTo(0.1, 4);
  });

  it('keeps its digits far out, and has ends', () => {
    expect(chiSquareTail(1000, 2) / Math.exp(-500)).toBeCloseTo(1, 10);
    expect(chiSquareTail(1e9, 59)).toBe(0);
    expect([chiSquareTail(0, 5), chiSquareTail(Number.POSITIVE_INFINITY, 5)]).toEqual([1, 0]);
    expect(chiSquareTail(Number.NaN, 5)).toBeNaN();
    for (const freedom of [0, -1, 1.5]) expect(() => chiSquareTail(1, freedom)).toThrow(RangeError);
  });
});
