import { createHash } from 'node:crypto';
import { cifar10 } from './cifar10.ts';
import { NoFolder, SourceReader } from './files.ts';
import { gaussianMixture } from './gaussian-mixture.ts';
import { imageFolder } from './image-folder.ts';
import type { LabelledImages } from './labelled-images.ts';
import type { DatasetSize, DatasetSpec, Loader } from './loader.ts';
import { mnist } from './mnist.ts';
import { mnistDigits } from './mnist-digits.ts';
import { checkCount, select } from './select.ts';

const loaders: Readonly<Record<DatasetSpec['name'], Loader>> = {
  mnist,
  'mnist-digits': mnistDigits,
  cifar10,
  'image-folder': imageFolder,
  'gaussian-mixture': gaussianMixture,
};

export interface Dataset {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** What it is, and one digest over all files that it came from. */
  readonly source: { readonly description: string; readonly digest: string };
  /** Digests of the files as they were read, as {@link datasetSources} names them. */
  readonly sources: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** Throws `InputError` for a data set without the folder that it needs. */
export function checkPath({ name, path }: DatasetSpec): void {
  if (path === undefined && name === 'image-folder') throw new NoFolder(name);
}

/** Digests of the outside files of a dataset. Throws `InputError` if one is missing. */
export function datasetSources(spec: DatasetSpec, baseDirectory: string): Promise<Record<string, string>> {
  return loaders[spec.name].sources(spec, baseDirectory);
}

/** Loads a dataset and selects the examples that were asked for. Throws `InputError` naming the file that is missing or damaged. */
export async function loadDataset(spec: DatasetSpec, baseDirectory: string): Promise<Dataset> {
  const loader = loaders[spec.name];
  const files = new SourceReader();
  const { train, test, description, notes } = await loader.load(spec, baseDirectory, files);
  const sources = files.digests;
  const digest = createHash('sha256')
    .update(JSON.stringify(Object.entries(sources).sort()))
    .digest('hex');
  return {
    train: select(train, spec.examples, spec.seed, 'train'),
    test: select(test, spec.testExamples, spec.seed, 'test'),
    source: { description, digest },
    sources,
    notes,
  };
}

/**
 * Shape and number of the examples that are asked for: of data sets that are always the same by themselves, of others from the files below
 * `baseDirectory`; undefined without. Throws `InputError` if there are fewer, or files are missing.
 */
export async function datasetSize(
  spec: DatasetSpec,
  baseDirectory: string | undefined,
): Promise<DatasetSize | undefined> {
  const { name, examples, testExamples } = spec;
  if (name === 'gaussian-mixture') {
    const shape = [1, spec.dimension!, 1] as const;
    return { shape, classes: spec.classes!, train: examples ?? 1000, test: testExamples ?? 1000 };
  }
  const { measure } = loaders[name];
  const measured =
    measure === undefined || baseDirectory === undefined ? undefined : await measure(spec, baseDirectory);
  // Files of one's own may have fewer.
  const isOwn = name === 'mnist' && spec.path !== undefined;
  const all = measured ?? (isOwn ? undefined : publishedSets[name]);
  if (all === undefined) return undefined;
  checkCount(examples, all.train, 'train');
  checkCount(testExamples, all.test, 'test');
  return { ...all, train: examples ?? all.train, test: testExamples ?? all.test };
}

const publishedSets: Partial<Record<DatasetSpec['name'], DatasetSize>> = {
  mnist: { shape: [28, 28, 1], classes: 10, train: 60_000, test: 10_000 },
  'mnist-digits': { shape: [28, 28, 1], classes: 10, train: 7996, test: 2004 },
  cifar10: { shape: [32, 32, 3], classes: 10, train: 50_000, test: 10_000 },
};
