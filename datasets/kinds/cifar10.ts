import { stat } from 'node:fs/promises';
import { InputError } from '../../artifacts/errors.ts';
import { type PickledBatch, readPickledBatch } from '../cifar10-pickle.ts';
import { downloadFolder } from '../download.ts';
import { dataFolder, fileDigest, findFile, type SourceReader } from '../files.ts';
import { type DatasetSpec, datasetKind, loadParts, partsOf } from '../kind.ts';
import type { LabelledImages } from '../labelled-images.ts';

const side = 32;
const channels = 3;
const plane = side * side;
const record = 1 + channels * plane;
/** Images in each batch as it was published. */
const published = 10_000;
const limit = { bytes: 10 * published * record, why: 'ten times as many as a batch was published with' };
const batches = {
  train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}`),
  test: ['test_batch'],
} as const;
const classNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/**
 * CIFAR-10 (Krizhevsky 2009), in its binary batches (a label byte, then the red, green and blue planes of each image) or in the pickled ones
 * for Python that torchvision fetches; in the folder itself or in the one that the archive of either makes.
 */
export const dataset = datasetKind({
  name: 'cifar10',
  description:
    'the binary batches in `path`, or the pickled ones for Python, also in the folders that torchvision makes; without `path`, in `datasets/cifar10` of the cache folder (`EPOCHAL_CACHE`, else `~/.cache/epochal`)',
  options: {},
  size: () => ({
    shape: [side, side, channels],
    classes: classNames.length,
    train: 5 * published,
    test: published,
  }),
  async sources(spec, baseDirectory) {
    const digests: Record<string, string> = {};
    for (const { name, path } of (await locate(spec, baseDirectory)).files)
      digests[name] = await fileDigest(path);
    return digests;
  },
  async measure(spec, baseDirectory) {
    const { files, pickled } = await locate(spec, baseDirectory);
    const size = { shape: [side, side, channels] as const, classes: classNames.length, train: 0, test: 0 };
    for (const { part, path } of files) {
      const isPlain = !pickled && !path.endsWith('.gz');
      size[part] += isPlain ? Math.floor((await stat(path)).size / record) : published;
    }
    return size;
  },
  async load(spec, baseDirectory, sources) {
    const { files, pickled } = await locate(spec, baseDirectory);
    const parts = await loadParts(spec, (part) =>
      readBatches(
        files.filter((file) => file.part === part),
        pickled ? readPickled : readBinary,
        sources,
      ),
    );
    return { ...parts, description: `CIFAR-10, ${pickled ? 'pickled' : 'binary'} batches`, notes: [] };
  },
});

interface BatchFile {
  readonly part: 'train' | 'test';
  readonly name: string;
  readonly path: string;
}

/** The files of the wanted parts. The binary ones are taken if both are there. */
async function locate(
  spec: DatasetSpec,
  baseDirectory: string,
): Promise<{ files: BatchFile[]; pickled: boolean }> {
  const folder = await (spec.path === undefined
    ? keptFolder()
    : dataFolder(spec.path, baseDirectory, 'cifar10'));
  const all = async (ending: string, below: string): Promise<BatchFile[]> => {
    const files: BatchFile[] = [];
    for (const part of partsOf(spec))
      for (const batch of batches[part]) {
        const name = `${batch}${ending}`;
        files.push({ part, name, path: await findFile(folder, name, [below], baseDirectory) });
      }
    return files;
  };
  const pickled = await all('', 'cifar-10-batches-py').catch(() => undefined);
  try {
    return { files: await all('.bin', 'cifar-10-batches-bin'), pickled: false };
  } catch (error) {
    if (pickled === undefined) throw error;
    return { files: pickled, pickled: true };
  }
}

/** Where the files are looked for without `path`: where those of other data sets are kept that were downloaded. */
async function keptFolder(): Promise<string> {
  const folder = downloadFolder('cifar10');
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return folder;
  throw new InputError(
    `There is no folder ${folder}, where CIFAR-10 is looked for without \`path\`.`,
    'Unpack cifar-10-binary.tar.gz (or cifar-10-python.tar.gz) of https://www.cs.toronto.edu/~kriz/cifar.html there, or give the folder of its ' +
      'files as `path`.',
    'name',
  );
}

async function readBatches(
  files: readonly BatchFile[],
  parse: (bytes: Uint8Array, path: string) => PickledBatch,
  sources: SourceReader,
): Promise<LabelledImages> {
  const parsed: PickledBatch[] = [];
  for (const { name, path } of files) parsed.push(parse(await sources.read(name, path, limit), path));
  const labels = Int32Array.from(parsed.flatMap((batch) => [...batch.labels]));
  const images = new Uint8Array(labels.length * channels * plane);
  let target = 0;
  for (const { planes } of parsed) {
    for (let start = 0; start < planes.length; start += channels * plane, target += channels * plane) {
      for (let channel = 0; channel < channels; channel++) {
        for (let pixel = 0; pixel < plane; pixel++)
          images[target + pixel * channels + channel] = planes[start + channel * plane + pixel]!;
      }
    }
  }
  return { images, labels, shape: [side, side, channels], classes: classNames.length, classNames };
}

function readBinary(bytes: Uint8Array, path: string): PickledBatch {
  if (bytes.length === 0 || bytes.length % record !== 0) {
    throw new InputError(
      `${path} is truncated: ${bytes.length} bytes are not a multiple of the ${record} bytes of an image.`,
      'Get the file again.',
    );
  }
  const count = bytes.length / record;
  const labels = Array.from({ length: count }, (_, example) => bytes[example * record]!);
  const planes = new Uint8Array(count * channels * plane);
  for (let example = 0; example < count; example++)
    planes.set(bytes.subarray(example * record + 1, (example + 1) * record), example * channels * plane);
  return checked({ labels, planes }, path);
}

function readPickled(bytes: Uint8Array, path: string): PickledBatch {
  return checked(readPickledBatch(bytes, path), path);
}

function checked({ labels, planes }: PickledBatch, path: string): PickledBatch {
  if (planes.length !== labels.length * channels * plane)
    throw new InputError(
      `${path} has ${labels.length} labels, but ${planes.length} bytes of images in place of ${labels.length * channels * plane}.`,
      'Get the file again.',
    );
  const wrong = labels.find((label) => !(Number.isInteger(label) && label in classNames));
  if (wrong !== undefined)
    throw new InputError(`${path} has the label ${wrong}; CIFAR-10 has 0 to 9.`, 'Get the file again.');
  return { labels, planes };
}
