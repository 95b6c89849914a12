import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type Described,
  findMetadata,
  type MetadataKey,
  metadataKeys,
  metadataName,
  readMetadata,
  writeMetadata,
} from '../../../artifacts/arrow/metadata.ts';
import { type DataDigests, isOfNetwork, type SgdContext } from '../../../artifacts/arrow/training-context.ts';
import { DamagedArtifactError } from '../../../artifacts/errors.ts';
import { training } from '../report/synthetic.ts';

const file = (metadata: Record<string, string>): Described => ({
  kind: 'series',
  path: '/a.arrow',
  metadata,
});
const saying = (key: MetadataKey, text: string) => file({ [metadataName(key)]: text });

test('the keys that are declared are documented, each in a row of its own, and no others', () => {
  const page = readFileSync(new URL('../../../docs/artifacts.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(epochal\.\w+)` \|/gm)].map(([, name]) => name);
  expect(rows).toHaveLength(metadataKeys.length);
  const named = new Set([...page.matchAll(/epochal\.[A-Za-z]+/g)].map(([name]) => name));
  for (const names of [new Set(rows), named]) expect(names).toEqual(new Set(metadataKeys.map(metadataName)));
});

describe('what is written', () => {
  const sgd: SgdContext = {
    ...{ examples: 100, batchSize: 10, batchesPerEpoch: 10, sampling: 'sequential' },
    ...{ learningRate: 1e-7, momentum: 0.5, seed: 3 },
  };

  test('keeps the order that it was given, but for inputs, and leaves out what is undefined', () => {
    const data: DataDigests = { test: null, train: 'a' };
    const inputs = { b: '2', a: '1' };
    expect(writeMetadata({ data, inputs, classes: 10, part: 'test', notes: undefined })).toEqual({
      'epochal.data': '{"test":null,"train":"a"}',
      'epochal.inputs': '{"a":"1","b":"2"}',
      'epochal.classes': '10',
      'epochal.part': 'test',
    });
  });

  test('is read as it was, and is written as it was once it is read', () => {
    const ofNetwork = training();
    const written = writeMetadata({ training: ofNetwork, eigenvalues: [2, Number.NaN, 1e-20] });
    const read = {
      training: readMetadata(file(written), 'training'),
      eigenvalues: readMetadata(file(written), 'eigenvalues'),
    };
    expect(read).toEqual({ training: ofNetwork, eigenvalues: [2, null, 1e-20] });
    expect(isOfNetwork(read.training)).toBe(true);
    expect(writeMetadata(read)).toEqual(written);
    const ofToy = readMetadata(file(writeMetadata({ training: sgd })), 'training');
    expect([ofToy, isOfNetwork(ofToy)]).toEqual([sgd, false]);
  });

  test('may have more than this version knows', () => {
    expect(readMetadata(saying('shape', '[1,2,3]'), 'shape')).toEqual([1, 2, 3]);
    const later = '{"train":"a","test":null,"validation":"b"}';
    expect(readMetadata(saying('data', later), 'data')).toMatchObject({ train: 'a', test: null });
  });
});

describe('what is read', () => {
  test('must be there, unless it is looked for', () => {
    expect(() => readMetadata(file({}), 'eigenvalues')).toThrow(
      new DamagedArtifactError('/a.arrow (series) has no epochal.eigenvalues in its metadata.'),
    );
    expect(findMetadata(file({}), 'eigenvalues')).toBeUndefined();
  });

  const { model, sampling, ...rest } = training();
  const outside = { known: 'bound', bound: 1, products: 1, share: 1 };
  const wrong: readonly [MetadataKey, string][] = [
    ['kind', 'picture'],
    ['part', 'validation'],
    ['classes', 'ten'],
    ['classes', '"10"'],
    ['shape', '[28,28]'],
    ['shape', '[28,28,"1"]'],
    ['inputs', '["a"]'],
    ['inputs', '{"a":1}'],
    ['eigenvalues', '{"0":1}'],
    ['eigenvalues', '[1,"2"]'],
    ['notes', 'null'],
    ['data', '{"train":"a"}'],
    ['training', JSON.stringify({ ...rest, model, sampling: 'at random' })],
    ['training', JSON.stringify({ ...rest, sampling, model: 'mlp' })],
    ['training', JSON.stringify({ ...rest, model, sampling, l2: '0.001' })],
    ['hessian', JSON.stringify({ asked: 3, outside })],
    ['analysis', '{"drift":"quadratic","blocks":1,"steps":1}'],
  ];
  test.each(wrong)('must be of its type: %s %s', (key, text) => {
    for (const read of [readMetadata, findMetadata]) {
      expect(() => read(saying(key, text), key)).toThrow(DamagedArtifactError);
      expect(() => read(saying(key, text), key)).toThrow(
        `/a.arrow (series) has another epochal.${key} in its metadata than this version writes: got ${text.slice(0, 100)}`,
      );
    }
  });
});
