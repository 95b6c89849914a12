import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { InputError } from '../artifacts/errors.ts';
import { dataFolder } from './files.ts';
import type { LabelledImages } from './labelled-images.ts';
import type { Loader } from './loader.ts';

const extensions = new Set(['.png', '.jpg', '.jpeg']);
const channels = 3;

/** PNG or JPEG images of one size in class folders: `train/<class>/*` and `test/<class>/*`. Classes are numbered in the order of their names. */
export const imageFolder: Loader = {
  async sources({ path }, baseDirectory) {
    const folder = await dataFolder(path, baseDirectory, 'image-folder');
    const digests: Record<string, string> = {};
    for (const part of ['train', 'test']) {
      const hash = createHash('sha256');
      for (const { file, label } of (await listImages(join(folder, part))).files) {
        hash.update(`${label} `).update(
          createHash('sha256')
            .update(await readFile(file))
            .digest(),
        );
      }
      digests[part] = hash.digest('hex');
    }
    return digests;
  },
  async load({ path }, baseDirectory) {
    const folder = await dataFolder(path, baseDirectory, 'image-folder');
    const train = await listImages(join(folder, 'train'));
    const test = await listImages(join(folder, 'test'));
    const unknown = test.classNames.find((name) => !train.classNames.includes(name));
    if (unknown !== undefined || test.classNames.length !== train.classNames.length) {
      throw new InputError(
        `The classes of ${folder}/train and ${folder}/test differ${unknown === undefined ? '' : ` (${unknown})`}.`,
      );
    }
    const lossy = [...train.files, ...test.files].some(({ file }) => extname(file).toLowerCase() !== '.png');
    return {
      train: await readImages(train),
      test: await readImages(test),
      description: lossy
        ? 'image folder, JPEG: results are not comparable digit for digit with the original images'
        : 'image folder, PNG',
      notes: lossy
        ? [
            'The images are JPEG, which changes pixels: do not compare digit for digit with results on the original data.',
          ]
        : [],
    };
  },
};

interface ImageList {
  readonly classNames: readonly string[];
  readonly files: readonly { readonly file: string; readonly label: number }[];
}

async function listImages(folder: string): Promise<ImageList> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    throw new InputError(
      `The data folder ${folder} does not exist.`,
      'An image folder has train/<class>/ and test/<class>/.',
    );
  }
  const classNames = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const files: { file: string; label: number }[] = [];
  for (const [label, name] of classNames.entries()) {
    for (const file of (await readdir(join(folder, name))).sort()) {
      if (extensions.has(extname(file).toLowerCase())) files.push({ file: join(folder, name, file), label });
    }
  }
  if (files.length === 0) throw new InputError(`${folder} has no class folders with PNG or JPEG images.`);
  return { classNames, files };
}

async function readImages({ classNames, files }: ImageList): Promise<LabelledImages> {
  const first = await decode(files[0]!.file);
  const { width, height } = first;
  const size = width * height * channels;
  const images = new Uint8Array(files.length * size);
  for (const [index, { file }] of files.entries()) {
    const image = index === 0 ? first : await decode(file);
    if (image.width !== width || image.height !== height) {
      throw new InputError(
        `${file} is ${image.width} x ${image.height} pixels, but ${files[0]!.file} is ${width} x ${height}.`,
        'All images must have the same size.',
      );
    }
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        images[index * size + pixel * channels + channel] = image.data[pixel * 4 + channel]!;
      }
    }
  }
  return {
    images,
    labels: Int32Array.from(files, ({ label }) => label),
    shape: [height, width, channels],
    classes: classNames.length,
    classNames,
  };
}

/** Pixels as red, green, blue, alpha. */
async function decode(file: string): Promise<{ width: number; height: number; data: Uint8Array }> {
  const bytes = await readFile(file);
  try {
    return extname(file).toLowerCase() === '.png'
      ? PNG.sync.read(bytes)
      : jpeg.decode(bytes, { useTArray: true });
  } catch (error) {
    throw new InputError(
      `${file} cannot be read as an image: ${(error as Error).message}.`,
      'Get the file again, or remove it.',
    );
  }
}
