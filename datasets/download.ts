import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../artifacts/cache-folder.mjs';
import { EnvironmentError } from '../artifacts/errors.ts';
import { fetchFile } from '../artifacts/fetch-file.mjs';
import { writeAtomically } from '../artifacts/store/atomic-file.ts';
import { fileDigest } from './files.ts';

/** A file on the net whose content is known. */
export interface RemoteFile {
  readonly name: string;
  readonly sha256: string;
  /** Folders that have it, tried in this order. */
  readonly mirrors: readonly string[];
}

/** Where downloaded data is kept for all studies: `EPOCHAL_CACHE`, else the user's cache folder. */
export function downloadFolder(dataset: string): string {
  return path.join(cacheFolder(), 'datasets', dataset);
}

/**
 * The path of a remote file in `folder`, fetched if it is not there or not whole. A file appears under its name only with the right digest.
 *
 * Throws {@link EnvironmentError} with what each mirror answered.
 */
export async function download({ name, sha256, mirrors }: RemoteFile, folder: string): Promise<string> {
  const target = path.join(folder, name);
  if ((await stat(target).catch(() => undefined))?.isFile() && (await fileDigest(target)) === sha256)
    return target;
  const tried: string[] = [];
  for (const mirror of mirrors) {
    const url = `${mirror}/${name}`;
    try {
      await writeAtomically(
        folder,
        async (temporary) => {
          await mkdir(folder, { recursive: true });
          await fetchWhole(url, sha256, temporary);
        },
        () => target,
      );
      return target;
    } catch (error) {
      if (error instanceof EnvironmentError) throw error;
      tried.push(`${url}: ${reasonOf(error)}`);
    }
  }
  throw new EnvironmentError(
    `${name} cannot be downloaded.\n  ${tried.join('\n  ')}`,
    `Get the file yourself and give its folder as \`path\`, or put it into ${folder}.`,
  );
}

async function fetchWhole(url: string, sha256: string, target: string): Promise<void> {
  await fetchFile(url, target);
  const digest = await fileDigest(target);
  if (digest !== sha256) throw new Error(`its SHA-256 is ${digest}, expected ${sha256}`);
}

/** The innermost reason: fetch hides it in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const { code } = error as NodeJS.ErrnoException;
  return error.message || code || error.name;
}
