/** Arrow files that say more than they have: each is refused by its path, before memory is taken for it. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import * as arrow from 'apache-arrow';
import { expect, test } from 'vitest';
import { readArrow } from '../../../artifacts/arrow/arrow-reader.ts';
import { localPath } from '../../../artifacts/store/local-store.ts';
import { openStore } from '../../../artifacts/store/open-store.ts';
import { temporaryFolder } from './folders.ts';

const rows = 77;
const size = 13;

/** A file with texts, numbers and lists, of two batches. */
async function goodFiles(folder: string): Promise<Record<string, Buffer>> {
  const store = await openStore(folder);
  const texts = await store.write('collection', { 'epochal.note': 'x'.repeat(300) }, async (writer) => {
    for (const _ of [0, 1])
      await writer.append({
        cell: Array.from({ length: rows }, (_each, row) => `cell ${row}`),
        loss: Float64Array.from({ length: rows }, (_each, row) => row),
      });
  });
  const lists = await store.write('series', {}, (writer) =>
    writer.append({
      step: Array.from({ length: rows }, (_, row) => row),
      theta: new Float32Array(rows * size),
    }),
  );
  return { texts: readFileSync(localPath(texts)), lists: readFileSync(localPath(lists)) };
}

/** A copy in which every number `from`, of eight or four bytes, is another one. */
function withNumber(bytes: Buffer, from: number, to: number, width: 4 | 8): Buffer {
  const copy = Buffer.from(bytes);
  const number = (value: number): Buffer => {
    const buffer = Buffer.alloc(width);
    if (width === 8) buffer.writeBigInt64LE(BigInt(value));
    else buffer.writeInt32LE(value);
    return buffer;
  };
  let found = 0;
  for (let at = copy.indexOf(number(from)); at >= 0; at = copy.indexOf(number(from), at + width)) {
    number(to).copy(copy, at);
    found++;
  }
  expect(found).toBeGreaterThan(0);
  return copy;
}

/** A copy with another 32-bit number so many bytes before its end. */
function atEnd(bytes: Buffer, before: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeInt32LE(value, copy.length - before);
  return copy;
}

/** As a copy, but the second batch is the first one again. */
function twice(bytes: Buffer): Buffer {
  const reader = arrow.RecordBatchReader.from(bytes) as unknown as {
    open(): void;
    _impl: { _footer: { getRecordBatch(index: number): { offset: number } } };
  };
  reader.open();
  const { _footer: footer } = reader._impl;
  return withNumber(bytes, footer.getRecordBatch(1).offset, footer.getRecordBatch(0).offset, 8);
}

const table = (vectors: Record<string, arrow.Vector>) =>
  Buffer.from(arrow.tableToIPC(new arrow.Table(vectors), 'file'));
const trillion = 1e12;

/** As another program may write it: a file that is much smaller than what it holds. */
function compressed(): Buffer {
  const type = arrow.CompressionType.ZSTD;
  arrow.compressionRegistry.set(type, { encode: zstdCompressSync, decode: zstdDecompressSync });
  const writer = new arrow.RecordBatchFileWriter({ compressionType: type });
  const loss = arrow.vectorFromArray(Array(1_000_000).fill(1), new arrow.Float64());
  writer.writeAll(new arrow.Table({ loss }).batches);
  writer.finish();
  return Buffer.from(writer.toUint8Array(true));
}

const hostile: Record<string, readonly [(good: Record<string, Buffer>) => Buffer, RegExp]> = {
  'a trillion rows': [
    ({ texts }) => withNumber(texts!, rows, trillion, 8),
    /batch 0 needs 8?4?\d+ bytes for a column/,
  ],
  'a trillion rows of lists': [
    ({ lists }) => withNumber(lists!, rows, trillion, 8),
    /batch 0 needs \d+ bytes/,
  ],
  'rows of which there are fewer values': [
    ({ lists }) => withNumber(lists!, rows * size, 9, 8),
    /counts 9 values/,
  ],
  'lists of a billion': [({ lists }) => withNumber(lists!, size, 1_000_000_000, 4), /counts 1001 values/],
  'values that are missing': [
    () => table({ loss: arrow.vectorFromArray([1, null, 3], new arrow.Float64()) }),
    /counts 3 values, 1 of them missing/,
  ],
  'a text that begins before the last one ends': [
    ({ texts }) => withNumber(texts!, 60 + 50 * 7, 2_000_000_000, 4),
    /has a text that ends at 2000000000/,
  ],
  'one batch twice': [({ texts }) => twice(texts!), /batch 1 overlaps with another/],
  'a footer of two gigabytes': [
    ({ texts }) => atEnd(texts!, 10, 0x7f_ff_ff_ff),
    /its footer has 2147483647 of \d+ bytes/,
  ],
  'a footer of less than nothing': [({ texts }) => atEnd(texts!, 10, -5), /its footer has -5 of/],
  'a dictionary': [() => table({ word: arrow.vectorFromArray(['a', 'b', 'a']) }), /it has dictionaries/],
  'nothing but nulls': [
    () => {
      const none = arrow.makeData({ type: new arrow.Null(), length: rows });
      return withNumber(table({ none: new arrow.Vector([none]) }), rows, trillion, 8);
    },
    /a type that no artifact has \(Null\)/,
  ],
  'compressed values': [() => compressed(), /batch 0 is compressed, as no artifact is/],
  'a list of lists': [
    () =>
      table({
        lists: arrow.vectorFromArray(
          [[[1]]],
          new arrow.List(new arrow.Field('a', new arrow.List(new arrow.Field('b', new arrow.Float64())))),
        ),
      }),
    /a type that no artifact has \(List\)/,
  ],
  'nothing of Arrow': [() => Buffer.alloc(100), /it does not end as one/],
  'nothing at all': [() => Buffer.alloc(0), /it does not end as one/],
};

test('a file that says more than it has is refused by its path, before memory is taken', async () => {
  const folder = temporaryFolder();
  const good = await goodFiles(folder);
  for (const bytes of Object.values(good)) expect(readArrow(bytes, 'series', 'good').rows % rows).toBe(0);
  const files = Object.entries(hostile).map(([name, [make]]) => {
    const file = path.join(folder, `${name.replaceAll(' ', '-')}.arrow`);
    writeFileSync(file, make(good));
    return file;
  });
  const ends = await readAll(files);
  for (const [index, [name, [, message]]] of Object.entries(hostile).entries())
    expect({ hostile: name, ...ends.files[index]! }).toEqual({
      hostile: name,
      error: 'DamagedArtifactError',
      message: expect.stringMatching(message),
    });
  expect(ends.megabytes).toBeLessThan(64);
});

test('whatever bytes are changed, a file is refused or has no more than it has', async () => {
  const folder = temporaryFolder();
  const good = await goodFiles(folder);
  mkdirSync(path.join(folder, 'changed'));
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1;
    return seed % below;
  };
  const files = Object.values(good).flatMap((bytes, which) =>
    Array.from({ length: 1500 }, (_, index) => {
      const copy = Buffer.from(bytes);
      for (let change = 0; change <= random(4); change++) {
        // Mostly where counts and places stand: in the header of the first batch, and in the footer.
        const at =
          random(3) === 0
            ? random(copy.length)
            : random(2) === 0
              ? 8 + random(900)
              : copy.length - 1 - random(900);
        copy[at] = [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)]!;
      }
      const file = path.join(folder, 'changed', `${which}-${index}.arrow`);
      writeFileSync(file, copy);
      return file;
    }),
  );
  const { files: ends, megabytes } = await readAll(files);
  expect(
    ends
      .filter(({ error }) => error !== 'none' && error !== 'DamagedArtifactError')
      .map(({ message }) => message),
  ).toEqual([]);
  const read = ends.filter(({ error }) => error === 'none');
  expect(read.length).toBeGreaterThan(100);
  expect(ends.length - read.length).toBeGreaterThan(100);
  expect(megabytes).toBeLessThan(200);
});

interface Ends {
  readonly files: readonly { readonly error: string; readonly message: string }[];
  readonly megabytes: number;
}

/** Reads files whole, in a process of little memory, and tells how that ended and by how much the process has grown. */
async function readAll(files: readonly string[]): Promise<Ends> {
  const list = path.join(path.dirname(files[0]!), 'list.json');
  writeFileSync(list, JSON.stringify(files));
  const reader = path.join(import.meta.dirname, 'hostile-reader.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=128', reader, list], {
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as Ends;
}
