import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { DatasetSpec } from '../../../datasets/kind.ts';

/** A folder with these files, removed when the test ends. */
export function folderOf(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), bytes);
  }
  return folder;
}

/** What the schema's defaults give. */
export function specOf(spec: Partial<DatasetSpec> & Pick<DatasetSpec, 'name'>): DatasetSpec {
  return { seed: 0, classes: 10, dimension: 16, separation: 1, ...spec };
}

/** An IDX file: magic number, sizes, bytes. */
export function idx(sizes: readonly number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(0x800 + sizes.length);
  for (const [i, size] of sizes.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, Uint8Array.from(values)]);
}

/** A batch of CIFAR-10 as Python 2 pickled it (protocol 2): a dictionary with a list of labels and a NumPy array of bytes. */
export function pickledBatch(labels: readonly number[], planes: Uint8Array): Buffer {
  const text = (word: string) =>
    Buffer.concat([Buffer.from([0x55, word.length]), Buffer.from(word, 'latin1')]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(planes.length);
  const width = Buffer.from([0x4d, 0x00, 0x0c]); // 3072
  return Buffer.concat([
    Buffer.from([0x80, 0x02, 0x7d, 0x28]),
    ...[text('batch_label'), text('training batch 1 of 5')],
    ...[text('labels'), Buffer.from([0x5d, 0x28, ...labels.flatMap((label) => [0x4b, label]), 0x65])],
    ...[text('data'), Buffer.from('cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n')],
    ...[Buffer.from([0x4b, 0x00, 0x85]), text('b'), Buffer.from([0x87, 0x52])],
    ...[Buffer.from([0x28, 0x4b, 0x01, 0x4b, labels.length]), width, Buffer.from([0x86])],
    ...[Buffer.from('cnumpy\ndtype\n'), text('u1'), Buffer.from([0x4b, 0x00, 0x4b, 0x01, 0x87, 0x52])],
    ...[
      Buffer.from([0x28, 0x4b, 0x03]),
      text('|'),
      Buffer.from('NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb', 'latin1'),
    ],
    ...[Buffer.from([0x89, 0x54]), size, planes, Buffer.from('tbu.')],
  ]);
}
