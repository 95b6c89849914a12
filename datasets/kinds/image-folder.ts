import { createHash } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { InputError } from '../../artifacts/errors.ts';
import { dataFolder, digestOf, fileDigest } from '../files.ts';
import { decodeImage, readImageFile } from '../images.ts';
import { type DatasetSpec, datasetKind, loadParts, partsOf } from '../kind.ts';
import type { LabelledImages } from '../labelled-images.ts';
import { mustFit } from '../limits.ts';
import { dataRoots, mustLieIn } from '../roots.ts';

const extensions = new Set(['.png', '.jpg', '.jpeg']);
const channels = 3;

/** PNG or JPEG images of one size in class folders: `train/<class>/*` and `test/<class>/*`. Classes are numbered in the order of their names. */
export const dataset = datasetKind({
  name: 'image-folder',
  description: 'PNG or JPEG in class folders, `path/train/<class>/*` and `path/test/<class>/*`',
  options: {},
  needsPath: true,
  async sources(spec, baseDirectory) {
    const folder = await dataFolder(spec.path, baseDirectory, 'image-folder');
    const digests: Record<string, string> = {};
    for (const part of partsOf(spec)) {
      const { classNames, files } = await listImages(join(folder, part), baseDirectory);
      const digest = new PartDigest(classNames);
      for (const { file, label } of files) digest.add(label, await fileDigest(file));
      digests[part] = digest.hex();
    }
    return digests;
  },
  async measure(spec, baseDirectory) {
    const lists = await listParts(spec, baseDirectory);
    const { file } = lists.train.files[0]!;
    const { width, height } = decodeImage(await readImageFile(file), file);
    return {
      shape: [height, width, channels],
      classes: lists.train.classNames.length,
      train: lists.train.files.length,
      test: lists.test?.files.length ?? 0,
    };
  },
  async load(spec, baseDirectory, sources) {
    const lists = await listParts(spec, baseDirectory);
    const files = [...lists.train.files, ...(lists.test?.files ?? [])];
    const lossy = files.some(({ file }) => extname(file).toLowerCase() !== '.png');
    const parts = await loadParts(spec, async (part) => {
      const digest = new PartDigest(lists[part]!.classNames);
      const images = await readImages(lists[part]!, digest);
      sources.digests[part] = digest.hex();
      return images;
    });
    return {
      ...parts,
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
});

interface ImageList {
  readonly classNames: readonly string[];
  readonly files: readonly { readonly file: string; readonly label: number }[];
}

async function listParts(
  spec: DatasetSpec,
  baseDirectory: string,
): Promise<{ readonly train: ImageList; readonly test?: ImageList }> {
  const folder = await dataFolder(spec.path, baseDirectory, 'image-folder');
  const train = await listImages(join(folder, 'train'), baseDirectory);
  if (!partsOf(spec).includes('test')) return { train };
  const test = await listImages(join(folder, 'test'), baseDirectory);
  checkClasses(train, test, folder);
  return { train, test };
}

/**
 * One digest for all that a part gives: the names of the classes, also of those without an image, which count as outputs of a network, and the images
 * with their labels. Thousands of names would not fit into a step's inputs.
 */
class PartDigest {
  readonly #hash = createHash('sha256');

  constructor(classNames: readonly string[]) {
    this.#hash.update(`${JSON.stringify(classNames)}\n`);
  }

  add(label: number, sha256: string): void {
    this.#hash.update(`${label} `).update(Buffer.from(sha256, 'hex'));
  }

  hex(): string {
    return this.#hash.digest('hex');
  }
}

function checkClasses(train: ImageList, test: ImageList, folder: string): void {
  const unknown = test.classNames.find((name) => !train.classNames.includes(name));
  if (unknown === undefined && test.classNames.length === train.classNames.length) return;
  throw new InputError(
    `The classes of ${folder}/train and ${folder}/test differ${unknown === undefined ? '' : ` (${unknown})`}.`,
    'Give both parts the same class folders, or set `testExamples: 0` to go without test images.',
    'path',
  );
}

/**
 * Class folders, and images in them, may be links. Throws `InputError` for one that leads nowhere, or out of what a pipeline in `baseDirectory` may read,
 * or an image that is no file.
 */
async function listImages(folder: string, baseDirectory: string): Promise<ImageList> {
  const roots = dataRoots(baseDirectory);
  const entries = await readdir(folder).catch(() => undefined);
  if (entries === undefined) {
    throw new InputError(
      `The data folder ${folder} does not exist.`,
      'An image folder has train/<class>/ and test/<class>/; without test images, set `testExamples: 0`.',
      'path',
    );
  }
  mustLieIn(folder, roots);
  const classNames: string[] = [];
  for (const name of entries.sort()) {
    if (!(await whatIsAt(join(folder, name))).isDirectory()) continue;
    mustLieIn(join(folder, name), roots);
    classNames.push(name);
  }
  const files: { file: string; label: number }[] = [];
  for (const [label, name] of classNames.entries()) {
    for (const entry of await entriesOf(join(folder, name))) {
      const file = join(folder, name, entry.name);
      if (!extensions.has(extname(entry.name).toLowerCase())) continue;
      if (!(await whatIsAt(file)).isFile())
        throw new InputError(
          `${file} is no file.`,
          'An image is a file: rename or remove what is there.',
          'path',
        );
      if (entry.isSymbolicLink()) mustLieIn(file, roots);
      files.push({ file, label });
    }
  }
  if (files.length === 0) {
    const cure = 'Put the images of each class into a folder of its own there.';
    throw new InputError(`${folder} has no class folders with PNG or JPEG images.`, cure, 'path');
  }
  return { classNames, files };
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function whatIsAt(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${path} cannot be read (${code}).`,
      'If it is a link, it leads nowhere: mend or remove it.',
      'path',
    );
  }
}

async function readImages({ classNames, files }: ImageList, digest: PartDigest): Promise<LabelledImages> {
  const read = async ({ file, label }: ImageList['files'][number]) => {
    const bytes = await readImageFile(file);
    digest.add(label, digestOf(bytes));
    return decodeImage(bytes, file);
  };
  const first = await read(files[0]!);
  const { width, height } = first;
  const size = width * height * channels;
  mustFit(dirname(dirname(files[0]!.file)), files.length, size);
  const images = new Uint8Array(files.length * size);
  for (const [index, entry] of files.entries()) {
    const { file } = entry;
    const image = index === 0 ? first : await read(entry);
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
