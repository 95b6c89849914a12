import { InputError } from '../artifacts/errors.ts';
import { dataFolder, fileDigest, findFile, readBytes } from './files.ts';
import { type LabelledImages, numberedClasses } from './labelled-images.ts';
import type { Loader } from './loader.ts';

const parts = { train: 'train', test: 't10k' } as const;

/** MNIST in its original IDX files (LeCun et al. 1998), gzip or not; how many examples there are is read from their headers. */
export const mnist: Loader = {
  async sources({ path }, baseDirectory) {
    const folder = await dataFolder(path, baseDirectory, 'mnist');
    const digests: Record<string, string> = {};
    for (const prefix of Object.values(parts)) {
      for (const name of namesOf(prefix)) digests[name] = await fileDigest(await findFile(folder, name));
    }
    return digests;
  },
  async load({ path }, baseDirectory) {
    const folder = await dataFolder(path, baseDirectory, 'mnist');
    const load = async (prefix: string): Promise<LabelledImages> => {
      const [images, labels] = namesOf(prefix);
      return readPair(await findFile(folder, images!), await findFile(folder, labels!));
    };
    return {
      train: await load(parts.train),
      test: await load(parts.test),
      description: 'MNIST, IDX files',
      notes: [],
    };
  },
};

function namesOf(prefix: string): string[] {
  return [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`];
}

async function readPair(imagesPath: string, labelsPath: string): Promise<LabelledImages> {
  const images = await readIdx(imagesPath, 3);
  const labels = await readIdx(labelsPath, 1);
  const [count, height, width] = images.sizes as [number, number, number];
  if (labels.sizes[0] !== count) {
    throw new InputError(
      `${imagesPath} has ${count} images, but ${labelsPath} has ${labels.sizes[0]} labels.`,
      'Use files that belong together.',
    );
  }
  const largest = labels.values.reduce((max, label) => Math.max(max, label), 0);
  if (largest > 9) throw new InputError(`${labelsPath} has the label ${largest}; MNIST has 0 to 9.`);
  return {
    images: images.values,
    labels: Int32Array.from(labels.values),
    shape: [height, width, 1],
    classes: 10,
    classNames: numberedClasses(10),
  };
}

/** Reads an IDX file of unsigned bytes: a magic number, the size of each dimension, then the values. */
async function readIdx(path: string, dimensions: number): Promise<{ sizes: number[]; values: Uint8Array }> {
  const bytes = await readBytes(path);
  const header = 4 + 4 * dimensions;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = 0x800 + dimensions;
  if (bytes.length < header || view.getUint32(0) !== magic) {
    throw new InputError(
      `${path} is not an IDX file of bytes with ${dimensions} dimension${dimensions === 1 ? '' : 's'}.`,
      'Get the file again.',
    );
  }
  const sizes = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index));
  const expected = header + sizes.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) {
    throw new InputError(
      `${path} is ${bytes.length < expected ? 'truncated' : 'too long'}: its header promises ${expected} bytes, it has ${bytes.length}.`,
      'Get the file again.',
    );
  }
  return { sizes, values: bytes.subarray(header) };
}
