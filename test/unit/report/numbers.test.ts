import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, formatKnown, formatMoment, plural } from '../../../report/numbers.ts';

test.each([
  [0, '0 ms'],
  [0.85, '850 ms'],
  [0.9996, '1.0 s'],
  [9.94, '9.9 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.7, '1 min'],
  [245, '4 min 5 s'],
  [3599.7, '1 h'],
  [11_520, '3 h 12 min'],
  [86_400 * 2 + 3600 * 4, '2 d 4 h'],
  [Number.NaN, '?'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [99_960, '100 kB'],
  [999_600, '1 MB'],
  [84_800_000, '84.8 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a moment is told with how long ago it was, rounded down', () => {
  const now = new Date('2026-03-04T12:00:00Z');
  expect(formatMoment('2026-03-04T11:56:10Z', now)).toBe('2026-03-04 11:56 UTC, 3 min ago');
  expect(formatMoment('2026-03-04T11:59:59.700Z', now)).toBe('2026-03-04 11:59 UTC, just now');
});

test.each([
  [0, '0 cells'],
  [1, '1 cell'],
  [2000, '2,000 cells'],
])('%d is written %s', (count, text) => {
  expect(plural(count, 'cell')).toBe(text);
});

describe('formatKnown', () => {
  test('tells errors to both sides apart where they differ', () => {
    const known = { value: 0.75, error: 0.05 };
    expect(formatKnown(known)).toBe('0.750 ± 0.050');
    expect(formatKnown({ ...known, low: 0.701, high: 0.801 })).toBe('0.750 ± 0.050');
    expect(formatKnown({ ...known, low: 0.71, high: 0.81 })).toBe('0.750 ± 0.050 (+0.06 −0.04)');
  });

  test('gives limits where there is no value', () => {
    const value = Number.NaN;
    expect(formatKnown({ value })).toBe('–');
    expect(formatKnown({ value, lowerLimit: 0.912 })).toBe('> 0.912 (95 %)');
    expect(formatKnown({ value, lowerLimit: 0.912, upperLimit: 1.5 })).toBe('> 0.912, < 1.5 (95 %)');
  });
});
