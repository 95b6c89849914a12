import { expect, test } from 'vitest';
import { middleRate } from '../../../bench/sweep/running/rate.ts';

/** 100 ends a tenth of a second apart, after a start of an hour. */
const steady = Array.from({ length: 100 }, (_, index) => 3600 + index / 10);

test('the rate is that of the middle, whatever the start and the end take, and in any order', () => {
  expect(middleRate(steady)).toBeCloseTo(10, 9);
  const slowEnds = steady.map((end, index) => (index < 5 ? end - 3000 : index >= 95 ? end + 3000 : end));
  expect(middleRate(slowEnds.reverse())).toBeCloseTo(10, 9);
});

test('a slow middle counts', () => {
  const halting = steady.map((end, index) => (index >= 50 ? end + 8 : end));
  expect(middleRate(halting)).toBeCloseTo(5, 9);
});

test('there is no rate of a few, or of what ended all at once', () => {
  expect(middleRate(steady.slice(0, 9))).toBeUndefined();
  expect(middleRate(Array.from({ length: 20 }, () => 5))).toBeUndefined();
});
