import { describe, expect, test } from 'vitest';
import { table } from '../../../cli/output/output.ts';

describe('a table', () => {
  test('may have as many rows as a sweep has artifacts', () => {
    const rows = Array.from({ length: 300_000 }, (_, index) => [`${index}`, 'x']);
    expect(table(rows).length).toBeGreaterThan(9 * rows.length);
  });

  test('of no rows is empty', () => {
    expect(table([])).toBe('');
  });
});
