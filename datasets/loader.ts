import type { SourceReader } from './files.ts';
import { type LabelledImages, pick } from './labelled-images.ts';

/** What a pipeline says of a dataset; defaults filled in. */
export interface DatasetSpec {
  readonly name: 'mnist' | 'mnist-digits' | 'cifar10' | 'image-folder' | 'gaussian-mixture';
  readonly path?: string;
  readonly examples?: number;
  readonly testExamples?: number;
  readonly seed: number;
  /** These three of a gaussian-mixture, and of no other. */
  readonly classes?: number;
  readonly dimension?: number;
  readonly separation?: number;
}

export interface LoadedData {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** What it is, for the reader of a result; no path. */
  readonly description: string;
  readonly notes: readonly string[];
}

export interface DatasetSize {
  readonly shape: LabelledImages['shape'];
  readonly classes: number;
  readonly train: number;
  readonly test: number;
}

/** One kind of dataset. */
export interface Loader {
  /**
   * SHA-256 of each outside file that `load` reads, by a name that does not depend on where the files lie. Files of test examples count, and
   * have to be there, only if there are to be such examples.
   */
  sources(spec: DatasetSpec, baseDirectory: string): Promise<Record<string, string>>;
  /** How many examples of which shape the files hold, from as little of them as tells. For data sets that are not always the same. */
  measure?(spec: DatasetSpec, baseDirectory: string): Promise<DatasetSize>;
  /** All examples. What `files` has read then has the digests of {@link sources}. Throws `InputError` if files are missing or damaged. */
  load(spec: DatasetSpec, baseDirectory: string, files: SourceReader): Promise<LoadedData>;
}

/** Parts of a dataset that have files to be read. */
export function partsOf({ testExamples }: DatasetSpec): readonly ('train' | 'test')[] {
  return testExamples === 0 ? ['train'] : ['train', 'test'];
}

/** Both parts; the test part is empty, and nothing is read for it, if no test examples are wanted. */
export async function loadParts(
  spec: DatasetSpec,
  load: (part: 'train' | 'test') => Promise<LabelledImages>,
): Promise<Pick<LoadedData, 'train' | 'test'>> {
  const train = await load('train');
  return { train, test: partsOf(spec).includes('test') ? await load('test') : pick(train, []) };
}
