import { constants } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonPieces } from '../../../cli/output/json.ts';

describe('JSON in pieces', () => {
  test('is what JSON.stringify gives, to the byte', () => {
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue(),
        fc.constant(undefined),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(
        values.filter((value) => value !== undefined),
        (value) => {
          expect([...jsonPieces(value)].join('')).toBe(JSON.stringify(value, undefined, 2));
        },
      ),
    );
  });

  test('may be longer than a string can be, in pieces no longer than an entry of a list', () => {
    const entry = { text: 'x'.repeat(1 << 20) };
    const value = { plan: { cells: Array.from({ length: 600 }, () => entry) } };
    expect(() => JSON.stringify(value)).toThrow('Invalid string length');
    let length = 0;
    let longest = 0;
    for (const piece of jsonPieces(value)) {
      length += piece.length;
      longest = Math.max(longest, piece.length);
    }
    expect(length).toBeGreaterThan(constants.MAX_STRING_LENGTH);
    expect(longest).toBeLessThan(2 * entry.text.length);
  });
});
