import { describe, expect, test } from 'vitest';
import { pairedDifference } from '../../../../science/analysis/paired-difference.ts';
import { studentTCentral, studentTQuantile } from '../../../../science/analysis/student-t.ts';
import { RandomStream } from '../../../../science/random.ts';

describe('Student t', () => {
  test.each([
    // Two-sided quantiles as every table of the distribution has them.
    [0.95, 1, 12.706],
    [0.95, 2, 4.303],
    [0.95, 3, 3.182],
    [0.95, 9, 2.262],
    [0.95, 10, 2.228],
    [0.95, 30, 2.042],
    [0.99, 5, 4.032],
    [0.9, 20, 1.725],
    [0.999, 4, 8.61],
    [0.95, 1000, 1.962],
  ])('confidence %f with %i degrees of freedom: %f', (confidence, freedom, tabulated) => {
    expect(studentTQuantile(confidence, freedom)).toBeCloseTo(tabulated, 3);
  });

  test('one and two degrees of freedom have elementary distributions', () => {
    for (const x of [0.1, 1, 3, 40]) {
      expect(studentTCentral(x, 1)).toBeCloseTo((2 / Math.PI) * Math.atan(x), 14);
      expect(studentTCentral(x, 2)).toBeCloseTo(x / Math.sqrt(2 + x * x), 14);
    }
  });

  test.each([3, 4, 7, 12])('the distribution is the integral of its density, %i degrees of freedom', (nu) => {
    const density = (t: number) => (1 + t ** 2 / nu) ** (-(nu + 1) / 2);
    const integral = (to: number, intervals = 200_000) => {
      let sum = (density(0) + density(to)) / 2;
      for (let i = 1; i < intervals; i++) sum += density((i * to) / intervals);
      return (sum * to) / intervals;
    };
    const all = integral(1000);
    expect(integral(2.5) / all).toBeCloseTo(studentTCentral(2.5, nu), 5);
  });

  test('nonsense is refused', () => {
    expect(() => studentTQuantile(0.95, 0)).toThrow('got 0');
    expect(() => studentTQuantile(0.95, 2.5)).toThrow('got 2.5');
    expect(() => studentTQuantile(1, 3)).toThrow('between 0 and 1, got 1');
  });
});

describe('paired differences', () => {
  test("Student's own example: hours of sleep gained by ten patients with two drugs", () => {
    // Student 1908, also `t.test(sleep)` in R: mean difference 1.58, t = 4.0621, 95 % interval 0.7001142 ... 2.4598858.
    const dextro = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    const laevo = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const result = pairedDifference(laevo, dextro);
    expect(result.pairs).toBe(10);
    expect(result.difference).toBeCloseTo(1.58, 10);
    expect(result.difference / result.standardError).toBeCloseTo(4.0621, 4);
    expect(result.difference - result.halfWidth).toBeCloseTo(0.7001142, 6);
    expect(result.difference + result.halfWidth).toBeCloseTo(2.4598858, 6);
  });

  test('a reduction is relative to the second', () => {
    const result = pairedDifference([38, 19], [100, 50], 'reduction');
    expect(result.difference).toBeCloseTo(0.62, 12);
    expect(result.standardError).toBeCloseTo(0, 12);
  });

  test('the interval covers the true difference as often as it says', () => {
    const random = new RandomStream(2, 'coverage');
    let covered = 0;
    for (let trial = 0; trial < 4000; trial++) {
      const common = Array.from({ length: 5 }, () => 10 * random.normal());
      const a = common.map((value) => value + 0.3 + random.normal());
      const b = common.map((value) => value + random.normal());
      const { difference, halfWidth } = pairedDifference(a, b);
      if (Math.abs(difference - 0.3) < halfWidth) covered++;
    }
    // 0.95 +- 0.0034; the bounds are four standard errors away.
    expect(covered / 4000).toBeGreaterThan(0.936);
    expect(covered / 4000).toBeLessThan(0.964);
  });

  test('a single pair has no error, no pair is refused', () => {
    expect(pairedDifference([2], [1])).toMatchObject({ difference: 1, standardError: Number.NaN });
    expect(() => pairedDifference([], [])).toThrow('got 0 and 0');
    expect(() => pairedDifference([1, 2], [1])).toThrow('got 2 and 1');
  });
});
