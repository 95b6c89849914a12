/** Files whose few bytes promise or unpack to far more than there is: each is refused by name, before memory is taken for it. */
import { execFile } from 'node:child_process';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { folderOf, idx, specOf } from './files.ts';
import {
  bomb,
  copyingPickle,
  crowdedPickle,
  longIdx,
  lyingIdx,
  lyingJpeg,
  lyingPickle,
  namedLabels,
  palette,
  png,
  pngHeader,
} from './hostile-files.ts';

interface Hostile {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly message: RegExp;
  /** Bytes of a file, which takes no space. */
  readonly sparse?: Readonly<Record<string, number>>;
}

const labels = { 'train-labels-idx1-ubyte': idx([3], [1, 2, 3]) };
const mnist = (images: Uint8Array, message: RegExp, packed = false): Hostile => ({
  files: { ...labels, [`train-images-idx3-ubyte${packed ? '.gz' : ''}`]: images },
  message,
});
const batch = (bytes: Uint8Array, message: RegExp, ending = ''): Hostile => ({
  files: Object.fromEntries(
    [1, 2, 3, 4, 5].map((n) => [`data_batch_${n}${ending}`, n === 1 ? bytes : '']),
  ) as never,
  message,
});
const image = (name: string, bytes: Uint8Array, message: RegExp): Hostile => ({
  files: { [`train/a/${name}`]: bytes },
  message,
});
const most = 2 ** 16 - 1;

const cases: Record<string, readonly Hostile[]> = {
  mnist: [
    mnist(
      lyingIdx([4_000_000_000, 60_000, 60_000]),
      /is truncated: its header promises 14400000000000000000 bytes/,
    ),
    mnist(
      lyingIdx([3, most, most]),
      /images-idx3-ubyte is truncated: its header promises 12884508691 bytes, it has 80/,
    ),
    mnist(
      gzipSync(lyingIdx([3, most, most])),
      /\.gz is truncated: its header promises 12884508691 bytes/,
      true,
    ),
    mnist(longIdx([3, 4, 4], 1 << 28), /ubyte\.gz has more than 64 bytes, which its header promises/, true),
    {
      ...mnist(
        lyingIdx([3, most, most]),
        /promises 12884508691 bytes; a part of a data set may have 2147483647/,
      ),
      sparse: { 'train-images-idx3-ubyte': 12_884_508_691 },
    },
  ],
  cifar10: [
    {
      ...batch(Buffer.of(1), /data_batch_1\.bin has more than 307300000 bytes/, '.bin'),
      sparse: { 'data_batch_1.bin': 2 ** 40 },
    },
    batch(copyingPickle(400), /is not a pickled batch: it takes more than the 8 calls/),
    batch(crowdedPickle(20_000_000), /is not a pickled batch: it takes more than .* 400000 operations/),
    batch(lyingPickle(0x8e, [0, 0, 0, 0, 0, 1, 0, 0]), /is not a pickled batch: Expected \d+ more bytes/),
    batch(lyingPickle(0x54, [0xff, 0xff, 0xff, 0xff]), /is not a pickled batch: Expected \d+ more bytes/),
    batch(lyingPickle(0x42, [0xfa, 0xff, 0xff, 0xff]), /is not a pickled batch: it has a length of -6/),
    batch(namedLabels(new Uint8Array(3072)), /has the label length; CIFAR-10 has 0 to 9/),
  ],
  'image-folder': [
    image(
      '1.png',
      png([pngHeader(60_000, 60_000)], 64),
      /it is 60000 x 60000 pixels; from 1 to 16777216 are read/,
    ),
    image(
      '1.png',
      png([pngHeader(8, 8), pngHeader(60_000, 60_000)], 64),
      /its header is none, or not the only one/,
    ),
    image(
      '1.png',
      png([pngHeader(8, 8, true)], 1 << 28),
      /cannot be read as an image: Cannot create a Buffer larger/,
    ),
    image(
      '1.png',
      png([pngHeader(8, 8), palette(1 << 26)], 64),
      /its palette has 67108864 bytes in place of at most 768/,
    ),
    image('1.png', png([pngHeader(0, 8)], 64), /it is 0 x 8 pixels/),
    image('1.jpg', lyingJpeg(60_000, 60_000), /it has more than 16777216 pixels/),
    {
      ...image('1.png', Buffer.of(1), /1\.png has more than 268435456 bytes/),
      sparse: { 'train/a/1.png': 2 ** 40 },
    },
  ],
};

test('a file that promises more than it has is refused by its name, before memory is taken', async () => {
  const all = [
    ...Object.entries(cases).flatMap(([name, list]) => list.map((each) => ({ name, ...each }))),
    // The last one, since a process has only one largest size: what a batch may have is a limit, not a promise, and so much of a bomb is unpacked.
    {
      name: 'cifar10',
      ...batch(bomb(1 << 29), /data_batch_1\.bin\.gz has more than 307300000 bytes/, '.bin.gz'),
    },
  ];
  const specs = all.map(({ name, files, sparse = {} }) => {
    const folder = folderOf(files);
    for (const [file, bytes] of Object.entries(sparse)) {
      const descriptor = openSync(path.join(folder, file), 'r+');
      ftruncateSync(descriptor, bytes);
      closeSync(descriptor);
    }
    return specOf({ name, path: folder, testExamples: 0 });
  });
  const loader = path.join(import.meta.dirname, 'hostile-loader.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=256',
    loader,
    JSON.stringify(specs),
  ]);
  const ends = JSON.parse(stdout) as {
    readonly name: string;
    readonly message: string;
    readonly megabytes: number;
  }[];
  expect(ends).toHaveLength(all.length);
  const wrong = ends.filter(
    ({ name, message }, index) => name !== 'InputError' || !all[index]!.message.test(message),
  );
  expect(wrong).toEqual([]);
  expect(ends.slice(0, -1).filter(({ megabytes }) => megabytes > 100)).toEqual([]);
  expect(ends.at(-1)!.megabytes).toBeLessThan(700);
});
