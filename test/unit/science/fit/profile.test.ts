import { describe, expect, it } from 'vitest';
import { Profile } from '../../../../science/fit/profile.ts';

/** y = level + place * t: the errors of a straight line are known, and the same on both sides. */
const t = [-2, -1, 0, 1, 4];
const sigma = [0.1, 0.2, 0.1, 0.3, 0.2];
const line = { y: t.map((x) => 3 + 2 * x), sigma, shape: (place: number) => t.map((x) => place * x) };

const sums = (power: number) => t.reduce((sum, x, i) => sum + x ** power * sigma[i]! ** -2, 0);
const determinant = sums(0) * sums(2) - sums(1) ** 2;

describe('the profile of a straight line', () => {
  const profile = new Profile(line, 2, [-10, 10]);

  it('is the parabola of its covariance matrix', () => {
    const [placeError, levelError] = [sums(0) / determinant, sums(2) / determinant].map(Math.sqrt) as [
      number,
      number,
    ];
    expect(profile.chiSquare).toBeCloseTo(0, 12);
    expect(profile.rise(2 + 3 * placeError)).toBeCloseTo(9, 8);
    expect(profile.riseOfLevel(3 - 2 * levelError)).toBeCloseTo(4, 8);
    for (const bound of [1, 3.841]) {
      const { low, high } = profile.places(bound);
      expect(low).toBeCloseTo(2 - Math.sqrt(bound) * placeError, 8);
      expect(high).toBeCloseTo(2 + Math.sqrt(bound) * placeError, 8);
      const levels = profile.levels(bound);
      expect(levels.low).toBeCloseTo(3 - Math.sqrt(bound) * levelError, 6);
      expect(levels.high).toBeCloseTo(3 + Math.sqrt(bound) * levelError, 6);
    }
  });

  it('has no end where the sum of squares does not rise enough within the range', () => {
    const narrow = new Profile(line, 2, [1.9999, 10]);
    expect(narrow.places(1).low).toBeUndefined();
    expect(narrow.places(1).high).toBeDefined();
    expect(narrow.levels(1).high).toBeUndefined();
  });
});
