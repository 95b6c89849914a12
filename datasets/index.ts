import { createHash } from 'node:crypto';
import { cifar10 } from './cifar10.ts';
import { SourceReader } from './files.ts';
import { gaussianMixture } from './gaussian-mixture.ts';
import { imageFolder } from './image-folder.ts';
import type { LabelledImages } from './labelled-images.ts';
import type { DatasetSpec, Loader } from './loader.ts';
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

/** Shape and number of examples of the data sets that are always the same; undefined for what only the files know. */
export function knownDataset(
  spec: DatasetSpec,
): { shape: readonly [number, number, number]; classes: number; train: number; test: number } | undefined {
  const { examples, testExamples } = spec;
  if (spec.name === 'gaussian-mixture') {
    const shape = [1, spec.dimension, 1] as const;
    return { shape, classes: spec.classes, train: examples ?? 1000, test: testExamples ?? 1000 };
  }
  const published = publishedSets[spec.name];
  if (published === undefined) return undefined;
  // Files of one's own may have fewer; a request for more than they have is then told when they are read.
  const own = spec.path !== undefined && spec.name === 'mnist';
  if (!own) {
    checkCount(examples, published.train, 'train');
    checkCount(testExamples, published.test, 'test');
  } else if (examples === undefined || testExamples === undefined) return undefined;
  const { shape, classes } = published;
  return { shape, classes, train: examples ?? published.train, test: testExamples ?? published.test };
}

const publishedSets: Partial<
  Record<
    DatasetSpec['name'],
    { shape: [number, number, number]; classes: number; train: number; test: number }
  >
> = {
  mnist: { shape: [28, 28, 1], classes: 10, train: 60_000, test: 10_000 },
  'mnist-digits': { shape: [28, 28, 1], classes: 10, train: 7996, test: 2004 },
  cifar10: { shape: [32, 32, 3], classes: 10, train: 50_000, test: 10_000 },
};
