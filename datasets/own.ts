import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder, fileDigest } from './files.ts';
import type { DatasetKind, DatasetSpec, LoadedData } from './kind.ts';

/** What the module of a data set of one's own exports as `dataset`; its options stand in the schema beside it. */
export interface OwnDataset<Spec = DatasetSpec> {
  /**
   * All examples, in an order that is always the same. `folder` is `path`, absolute, if the pipeline gives one: of the files below it, and of no others,
   * the step key knows. Throws `InputError` if they are not what they should be.
   */
  load(spec: Spec, folder: string | undefined): Promise<LoadedData>;
}

const own = new Map<string, OwnDataset>();

/** Makes a data set of one's own known in this process, under the name of its module. */
export function useOwnDataset(name: string, dataset: OwnDataset): void {
  own.set(name, dataset);
}

/** The data set of one's own of this name. To digest its files, its module need not be known. Throws `Error` if it is loaded without being known. */
export function ownDataset(name: string): DatasetKind {
  return {
    name,
    description: '',
    options: {},
    sources: folderDigests,
    async load(spec, baseDirectory, files) {
      const dataset = own.get(name);
      if (dataset === undefined) throw new Error(`The module ${name} was not loaded.`);
      Object.assign(files.digests, await folderDigests(spec, baseDirectory));
      return dataset.load(spec, await folderOf(spec, baseDirectory));
    },
  };
}

function folderOf({ path, name }: DatasetSpec, baseDirectory: string): Promise<string | undefined> {
  return path === undefined ? Promise.resolve(undefined) : dataFolder(path, baseDirectory, name);
}

async function folderDigests(spec: DatasetSpec, baseDirectory: string): Promise<Record<string, string>> {
  const folder = await folderOf(spec, baseDirectory);
  if (folder === undefined) return {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digests: Record<string, string> = {};
  for (const file of files.sort()) digests[file.slice(folder.length + 1)] = await fileDigest(file);
  return digests;
}
