import type { Options, ValuesOf } from '../science/options.ts';
import type { SourceReader } from './files.ts';
import { type LabelledImages, pick } from './labelled-images.ts';

/** What a pipeline says of a dataset: its kind, what all of them take, and the options of the kind. */
export interface DatasetSpec {
  readonly name: string;
  readonly path?: string;
  readonly examples?: number;
  readonly testExamples?: number;
  readonly seed: number;
  readonly [option: string]: unknown;
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

/** A kind of data set, in one place: the language's schema, its errors and docs follow from it. */
export interface DatasetKind<Own extends Options = Options> {
  /** As in `with: { name }`, and the name of its file. */
  readonly name: string;
  /** What it is and where its files are looked for, as a clause. */
  readonly description: string;
  /** What it takes beside the settings of {@link DatasetSpec}. */
  readonly options: Own;
  /** It has no place of its own for its files. */
  readonly needsPath?: true;
  /** How many examples of which shape there are, where no file has to be asked. */
  size?(spec: DatasetSpec & ValuesOf<Own>): DatasetSize | undefined;
  /**
   * SHA-256 of each outside file that `load` reads, by a name that does not depend on where the files lie. Files of test examples count, and
   * have to be there, only if there are to be such examples.
   */
  sources(spec: DatasetSpec & ValuesOf<Own>, baseDirectory: string): Promise<Record<string, string>>;
  /** How many examples of which shape the files hold, from as little of them as tells. For data sets that are not always the same. */
  measure?(spec: DatasetSpec & ValuesOf<Own>, baseDirectory: string): Promise<DatasetSize>;
  /** All examples. What `files` has read then has the digests of {@link sources}. Throws `InputError` if files are missing or damaged. */
  load(spec: DatasetSpec & ValuesOf<Own>, baseDirectory: string, files: SourceReader): Promise<LoadedData>;
}

/** A kind of data set, its options' types inferred. */
export function datasetKind<const Own extends Options>(kind: DatasetKind<Own>): DatasetKind<Own> {
  return kind;
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
