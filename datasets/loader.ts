import type { LabelledImages } from './labelled-images.ts';

/** What a pipeline says of a dataset; defaults filled in. */
export interface DatasetSpec {
  readonly name: 'mnist' | 'mnist-digits' | 'cifar10' | 'image-folder' | 'gaussian-mixture';
  readonly path?: string;
  readonly examples?: number;
  readonly testExamples?: number;
  readonly seed: number;
  readonly classes: number;
  readonly dimension: number;
  readonly separation: number;
}

export interface LoadedData {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** What it is, for the reader of a result; no path. */
  readonly description: string;
  readonly notes: readonly string[];
}

/** One kind of dataset. */
export interface Loader {
  /** SHA-256 of each outside file that `load` reads, by a name that does not depend on where the files lie. */
  sources(spec: DatasetSpec, baseDirectory: string): Promise<Record<string, string>>;
  /** All examples. Throws `InputError` if the files are missing or damaged. */
  load(spec: DatasetSpec, baseDirectory: string): Promise<LoadedData>;
}
