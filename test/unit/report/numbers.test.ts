import { expect, test } from 'vitest';
import { formatBytes, formatDuration, formatMoment, plural } from '../../../report/numbers.ts';

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
