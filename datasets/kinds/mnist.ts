import { stat } from 'node:fs/promises';
import { InputError } from '../../artifacts/errors.ts';
import { download, downloadFolder } from '../download.ts';
import { dataFolder, fileDigest, findFile, headOf, isArchive, type SourceReader } from '../files.ts';
import { datasetKind, loadParts, partsOf } from '../kind.ts';
import { type LabelledImages, numberedClasses } from '../labelled-images.ts';
import { mostBytes, mostInflation } from '../limits.ts';

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
    for (const name of names)
      found[name] = await fileDigest(await findFile(folder, name, torchvision, baseDirectory));
    return found;
  },
  async measure(spec, baseDirectory) {
    if (spec.path === undefined) return { shape: [side, side, 1], classes, train: 60_000, test: 10_000 };
    const folder = await dataFolder(spec.path, baseDirectory, 'mnist');
    const sizesOf = async (part: 'train' | 'test') => {
      const [name] = namesOf(prefixes[part]);
      const path = await findFile(folder, name, torchvision, baseDirectory);
      return (await headerOf(path, 3)).sizes as [number, number, number];
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
        : findFile(folder, name, torchvision, baseDirectory);
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
  const imagesHeader = await headerOf(imagesPath, 3);
  const labelsHeader = await headerOf(labelsPath, 1);
  const [count, height, width] = imagesHeader.sizes as [number, number, number];
  if (labelsHeader.sizes[0] !== count) {
    throw new InputError(
      `${imagesPath} has ${count} images, but ${labelsPath} has ${labelsHeader.sizes[0]} labels.`,
      'Use files that belong together.',
    );
  }
  const images = await readIdx(imagesName, imagesPath, imagesHeader, files);
  const labels = await readIdx(labelsName, labelsPath, labelsHeader, files);
  const largest = labels.reduce((max, label) => Math.max(max, label), 0);
  if (largest > 9) throw new InputError(`${labelsPath} has the label ${largest}; MNIST has 0 to 9.`);
  return {
    images,
    labels: Int32Array.from(labels),
    shape: [height, width, 1],
    classes,
    classNames: numberedClasses(classes),
  };
}

interface IdxHeader {
  readonly sizes: readonly number[];
  readonly headerBytes: number;
  /** Of the whole file, not compressed. */
  readonly bytes: number;
}

/**
 * What an IDX file of unsigned bytes promises: a magic number and the size of each dimension, before the values. Throws {@link InputError} for a promise that
 * its size cannot keep, before anything else is read.
 */
async function headerOf(path: string, dimensions: number): Promise<IdxHeader> {
  const headerBytes = 4 + 4 * dimensions;
  const head = await headOf(path, headerBytes);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = 0x800 + dimensions;
  if (head.length < headerBytes || view.getUint32(0) !== magic) {
    throw new InputError(
      `${path} is not an IDX file of bytes with ${dimensions} dimension${dimensions === 1 ? '' : 's'}.`,
      'Get the file again.',
    );
  }
  const sizes = Array.from({ length: dimensions }, (_, index) => view.getUint32(4 + 4 * index));
  const bytes = headerBytes + sizes.reduce((product, size) => product * size, 1);
  const { size } = await stat(path);
  mustKeep(path, bytes, isArchive(path) ? Math.min(bytes, size * mostInflation) : size);
  if (bytes > mostBytes)
    throw new InputError(
      `The header of ${path} promises ${bytes} bytes; a part of a data set may have ${mostBytes}.`,
      'Take fewer or smaller images.',
    );
  return { sizes, headerBytes, bytes };
}

/** Throws {@link InputError} if a file has not as many bytes as its header promises. */
function mustKeep(path: string, promised: number, there: number): void {
  if (there === promised) return;
  throw new InputError(
    `${path} is ${there < promised ? 'truncated' : 'too long'}: its header promises ${promised} bytes, it has ${there}.`,
    'Get the file again.',
  );
}

/** The values of an IDX file. */
async function readIdx(
  name: string,
  path: string,
  { headerBytes, bytes }: IdxHeader,
  files: SourceReader,
): Promise<Uint8Array> {
  const all = await files.read(name, path, { bytes, why: 'which its header promises' });
  mustKeep(path, bytes, all.length);
  return all.subarray(headerBytes);
}
