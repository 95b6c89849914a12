import { InputError } from '../../artifacts/errors.ts';
import { download, downloadFolder } from '../download.ts';
import { dataFolder, fileDigest, findFile, SourceReader } from '../files.ts';
import { datasetKind, loadParts, partsOf } from '../kind.ts';
import { type LabelledImages, numberedClasses } from '../labelled-images.ts';

const side = 28;
const classes = 10;
const prefixes = { train: 'train', test: 't10k' } as const;

/** Where torchvision puts the files, below the folder that it is given. */
const torchvision = ['MNIST/raw', 'raw'];

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
export const dataset = datasetKind({
  name: 'mnist',
  description: 'IDX files from `path`, also from the folders that torchvision makes, else downloaded',
  options: {},
  // Files of one's own may have fewer.
  size: ({ path }) =>
    path === undefined ? { shape: [side, side, 1], classes, train: 60_000, test: 10_000 } : undefined,
  async sources(spec, baseDirectory) {
    const names = partsOf(spec).flatMap((part) => namesOf(prefixes[part]));
    if (spec.path === undefined) return Object.fromEntries(names.map((name) => [name, digests[name]!]));
    const folder = await dataFolder(spec.path, baseDirectory, 'mnist');
    const found: Record<string, string> = {};
    for (const name of names) found[name] = await fileDigest(await findFile(folder, name, torchvision));
    return found;
  },
  async measure(spec, baseDirectory) {
    if (spec.path === undefined) return { shape: [side, side, 1], classes, train: 60_000, test: 10_000 };
    const folder = await dataFolder(spec.path, baseDirectory, 'mnist');
    const sizesOf = async (part: 'train' | 'test') => {
      const [name] = namesOf(prefixes[part]);
      const path = await findFile(folder, name, torchvision);
      return readIdx(await new SourceReader().read(name, path), path, 3).sizes as [number, number, number];
    };
    const [train, height, width] = await sizesOf('train');
    const [test] = partsOf(spec).includes('test') ? await sizesOf('test') : [0];
    return { shape: [height, width, 1], classes, train, test };
  },
  async load(spec, baseDirectory, files) {
    const { path } = spec;
    const folder = path === undefined ? undefined : await dataFolder(path, baseDirectory, 'mnist');
    const locate = (name: string) =>
      folder === undefined
        ? download({ name: `${name}.gz`, sha256: digests[name]!, mirrors }, downloadFolder('mnist'))
        : findFile(folder, name, torchvision);
    const parts = await loadParts(spec, (part) => readPair(namesOf(prefixes[part]), locate, files));
    return { ...parts, description: 'MNIST, IDX files', notes: [] };
  },
});

function namesOf(prefix: string): [string, string] {
  return [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`];
}

async function readPair(
  [imagesName, labelsName]: readonly [string, string],
  locate: (name: string) => Promise<string>,
  files: SourceReader,
): Promise<LabelledImages> {
  const imagesPath = await locate(imagesName);
  const labelsPath = await locate(labelsName);
  const images = readIdx(await files.read(imagesName, imagesPath), imagesPath, 3);
  const labels = readIdx(await files.read(labelsName, labelsPath), labelsPath, 1);
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
    classes,
    classNames: numberedClasses(classes),
  };
}

/** An IDX file of unsigned bytes: a magic number, the size of each dimension, then the values. */
function readIdx(
  bytes: Uint8Array,
  path: string,
  dimensions: number,
): { sizes: number[]; values: Uint8Array } {
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
