import { stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cacheOptions } from '../../artifacts/store/s3/object-cache.ts';

/** A disk is full if less is left of it than this, and than this share of it: of a small one, not much is ever left. */
const leastBytes = 16e6;
const leastShare = 0.05;

/**
 * Thrown when a stage has failed on a machine with a full disk, which is none of the stage's doing: another worker takes it over, from its checkpoint,
 * and this one takes none before there is room again.
 */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
  readonly cure = 'Free some space there: stages go on by themselves.';
  readonly folders: readonly string[];
  constructor(folders: readonly string[], failure: unknown) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    super(`The disk of this worker is full at ${folders.join(', ')}. The stage failed with: ${reason}`);
    this.folders = folders;
  }
}

/**
 * What to say of a failure of a stage: {@link NoRoomError} if a disk that the worker has for itself is full now, else the failure. The disk of a store in a folder is not the worker's:
 * what is full there is full for all.
 */
export async function blameRoom(error: unknown, storeUri: string): Promise<unknown> {
  const full: string[] = [];
  for (const folder of await ownFolders(storeUri)) if (await isFull(folder)) full.push(folder);
  return full.length === 0 ? error : new NoRoomError(full, error);
}

/** Whether there is room for what stages write. A folder that is not there is not full. */
export async function hasRoom(folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) if (await isFull(folder)) return false;
  return true;
}

async function ownFolders(uri: string): Promise<string[]> {
  if (!uri.startsWith('file:')) return [tmpdir(), cacheOptions().folder];
  const [own, shared] = await Promise.all([tmpdir(), fileURLToPath(uri)].map(deviceOf));
  return own === shared ? [] : [tmpdir()];
}

async function deviceOf(folder: string): Promise<number | undefined> {
  return (await stat(folder).catch(() => undefined))?.dev;
}

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined) return false;
  const { bsize, blocks, bavail } = disk;
  return bavail * bsize < Math.min(leastBytes, leastShare * blocks * bsize);
}
