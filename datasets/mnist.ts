import { InputError } from '../artifacts/errors.ts';
import { download, downloadFolder } from './download.ts';
import { dataFolder, fileDigest, findFile, readBytes } from './files.ts';
import { type LabelledImages, numberedClasses } from './labelled-images.ts';
import type { Loader } from './loader.ts';

const parts = { train: 'train', test: 't10k' } as const;

const mirrors = [
  'https://ossci-datasets.s3.amazonaws.com/mnist',
  'https://storage.googleapis.com/cvdf-datasets/mnist',
];

/** SHA-256 of the original files, as their compressed form has been distributed since 1998. */
const digests: Readonly<Record<string, string>> = {
  'train-images-idx3-ubyte': '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
  'train-labels-idx1-ubyte': '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
  't10k-images-idx3-ubyte': '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
  't10k-labels-idx1-ubyte': 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
};

/**
 * MNIST in its original IDX files (LeCun et al. 1998), gzip or not; how many examples there are is read from their headers. Without `path`
 * the files are downloaded once and checked against their known digests.
 */
export const mnist: Loader = {
  async sources({ path }, baseDirectory) {
    if (path === undefined) return digests;
    const folder = await dataFolder(path, baseDirectory, 'mnist');
    const found: Record<string, string> = {};
    for (const prefix of Object.values(parts)) {
      for (const name of namesOf(prefix)) found[name] = await fileDigest(await findFile(folder, name));
    }
    return found;
  },
  async load({ path }, baseDirectory) {
    const folder = path === undefined ? undefined : await dataFolder(path, baseDirectory, 'mnist');
    const locate = (name: string) =>
      folder === undefined
        ? download({ name: `${name}.gz`, sha256: digests[name]!, mirrors }, downloadFolder('mnist'))
        : findFile(folder, name);
    const load = async (prefix: string): Promise<LabelledImages> => {
      const [images, labels] = namesOf(prefix);
      return readPair(await locate(images!), await locate(labels!));
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
