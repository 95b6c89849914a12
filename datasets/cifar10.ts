import { InputError } from '../artifacts/errors.ts';
import { dataFolder, fileDigest, findFile, readBytes } from './files.ts';
import type { LabelledImages } from './labelled-images.ts';
import type { Loader } from './loader.ts';

const side = 32;
const channels = 3;
const plane = side * side;
const record = 1 + channels * plane;
const trainFiles = [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`);
const testFiles = ['test_batch.bin'];
const classNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** CIFAR-10 in its binary batches (Krizhevsky 2009): a label byte, then the red, green and blue planes of each image. */
export const cifar10: Loader = {
  async sources({ path }, baseDirectory) {
    const folder = await dataFolder(path, baseDirectory, 'cifar10');
    const digests: Record<string, string> = {};
    for (const name of [...trainFiles, ...testFiles])
      digests[name] = await fileDigest(await findFile(folder, name));
    return digests;
  },
  async load({ path }, baseDirectory) {
    const folder = await dataFolder(path, baseDirectory, 'cifar10');
    return {
      train: await readBatches(folder, trainFiles),
      test: await readBatches(folder, testFiles),
      description: 'CIFAR-10, binary batches',
      notes: [],
    };
  },
};

async function readBatches(folder: string, names: readonly string[]): Promise<LabelledImages> {
  const files: Uint8Array[] = [];
  for (const name of names) {
    const path = await findFile(folder, name);
    const bytes = await readBytes(path);
    if (bytes.length === 0 || bytes.length % record !== 0) {
      throw new InputError(
        `${path} is truncated: ${bytes.length} bytes are not a multiple of the ${record} bytes of an image.`,
        'Get the file again.',
      );
    }
    files.push(bytes);
  }
  const count = files.reduce((sum, bytes) => sum + bytes.length / record, 0);
  const images = new Uint8Array(count * channels * plane);
  const labels = new Int32Array(count);
  let example = 0;
  for (const [file, bytes] of files.entries()) {
    for (let start = 0; start < bytes.length; start += record, example++) {
      const label = bytes[start]!;
      if (label >= classNames.length)
        throw new InputError(
          `${names[file]} has the label ${label}; CIFAR-10 has 0 to 9.`,
          'Get the file again.',
        );
      labels[example] = label;
      const target = example * channels * plane;
      for (let channel = 0; channel < channels; channel++) {
        for (let pixel = 0; pixel < plane; pixel++) {
          images[target + pixel * channels + channel] = bytes[start + 1 + channel * plane + pixel]!;
        }
      }
    }
  }
  return { images, labels, shape: [side, side, channels], classes: classNames.length, classNames };
}
