import { createHash } from 'node:crypto';
import { InputError } from '../artifacts/errors.ts';
import { isOwnModule } from '../artifacts/own-module.ts';
import { withDefaults } from '../science/options.ts';
import { NoFolder, SourceReader } from './files.ts';
import type { DatasetKind, DatasetSize, DatasetSpec } from './kind.ts';
import { datasetKinds } from './kinds/index.ts';
import type { LabelledImages } from './labelled-images.ts';
import { ownDataset } from './own.ts';
import { checkCount, select } from './select.ts';

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
export function checkPath(spec: DatasetSpec): void {
  if (spec.path === undefined && kindOf(spec).kind.needsPath) throw new NoFolder(spec.name);
}

/** The kind of a dataset, and its settings with the defaults of the kind's options. Throws `InputError` if there is no such kind. */
function kindOf(spec: DatasetSpec): { readonly kind: DatasetKind; readonly complete: DatasetSpec } {
  const kind = isOwnModule(spec.name)
    ? ownDataset(spec.name)
    : datasetKinds.find(({ name }) => name === spec.name);
  if (kind === undefined) {
    const names = datasetKinds.map(({ name }) => name).join(', ');
    throw new InputError(`There is no dataset ${JSON.stringify(spec.name)}.`, `There are ${names}.`, 'name');
  }
  return { kind, complete: { ...spec, ...withDefaults(kind.options, spec) } };
}

/** Digests of the outside files of a dataset. Throws `InputError` if one is missing. */
export function datasetSources(spec: DatasetSpec, baseDirectory: string): Promise<Record<string, string>> {
  const { kind, complete } = kindOf(spec);
  return kind.sources(complete, baseDirectory);
}

/** Loads a dataset and selects the examples that were asked for. Throws `InputError` naming the file that is missing or damaged. */
export async function loadDataset(spec: DatasetSpec, baseDirectory: string): Promise<Dataset> {
  const { kind, complete } = kindOf(spec);
  const files = new SourceReader();
  const { train, test, description, notes } = await kind.load(complete, baseDirectory, files);
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
  const { kind, complete } = kindOf(spec);
  const { examples, testExamples } = spec;
  const measured = baseDirectory === undefined ? undefined : await kind.measure?.(complete, baseDirectory);
  const all = measured ?? kind.size?.(complete);
  if (all === undefined) return undefined;
  checkCount(examples, all.train, 'train');
  checkCount(testExamples, all.test, 'test');
  return { ...all, train: examples ?? all.train, test: testExamples ?? all.test };
}
