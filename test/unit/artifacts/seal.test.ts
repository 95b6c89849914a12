import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seal, unseal } from '../../../artifacts/store/seal.ts';

const records = fc.record({ key: fc.string({ minLength: 1 }), value: fc.jsonValue() });

test('a sealed record is JSON, and gives back its text under its own name only', () => {
  fc.assert(
    fc.property(records, fc.string(), fc.string(), (record, about, other) => {
      const text = JSON.stringify(record);
      const sealed = seal(text, about);
      expect(JSON.parse(sealed)).toEqual({ seal: expect.any(String), ...JSON.parse(text) });
      expect(unseal(sealed, about)).toBe(text);
      if (other !== about) expect(unseal(sealed, other)).toBeUndefined();
    }),
  );
});

test('a record of which any byte was changed is not believed', () => {
  const sealed = Buffer.from(seal('{"loss":0.125,\n"epochs":[1,2]}\n', 'a'));
  for (let index = 0; index < sealed.length; index++) {
    for (const bit of [1, 32, 128]) {
      const bytes = Buffer.from(sealed);
      bytes[index]! ^= bit;
      expect(unseal(bytes.toString('utf8'), 'a')).toBeUndefined();
    }
    expect(unseal(sealed.subarray(0, index).toString('utf8'), 'a')).toBeUndefined();
  }
});

test('a record with its digest in the line before it, as earlier versions wrote steps, is read', () => {
  const text = '{\n "key": "k"\n}';
  const digest = createHash('sha256').update(text).digest('hex');
  expect(unseal(`${digest}\n${text}\n`)).toBe(text);
  expect(unseal(`${digest}\n${text.replace('k"', 'j"')}\n`)).toBeUndefined();
});
