import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, gunzip } from 'node:zlib';
import { InputError } from '../artifacts/errors.ts';
import { type Limit, tooLarge } from './limits.ts';
import { dataRoots, mustLieIn } from './roots.ts';

const unzip = promisify(gunzip);
/** As much of a file as tells what its header says: at most four megabytes, unpacked. */
const headBytes = 1 << 12;

/** Thrown for a data set without the folder that it needs. */
export class NoFolder extends InputError {
  constructor(dataset: string) {
    super(`The dataset ${dataset} needs the folder of its files.`, 'Give it as `path`.', 'name');
  }
}

/** The folder `path` of a dataset, relative to the pipeline file. Throws `InputError` if it is not given, no folder, or none that a pipeline may read. */
export async function dataFolder(
  path: string | undefined,
  baseDirectory: string,
  name: string,
): Promise<string> {
  if (path === undefined) throw new NoFolder(name);
  const folder = resolve(baseDirectory, path);
  const info = await stat(folder).catch(() => undefined);
  if (info?.isDirectory()) {
    mustLieIn(folder, dataRoots(baseDirectory));
    return folder;
  }
  throw new InputError(
    `The data folder ${folder} ${info === undefined ? 'does not exist' : 'is not a folder'}.`,
    `\`path\` is relative to the folder of the pipeline file (${baseDirectory}).`,
    'path',
  );
}

/**
 * The file `name` or `name.gz` in `folder` or in one of its folders `below`, where other programs put it. Throws `InputError` naming what was
 * looked for, or a link out of the folders that a pipeline in `baseDirectory` may read.
 */
export async function findFile(
  folder: string,
  name: string,
  below: readonly string[],
  baseDirectory: string,
): Promise<string> {
  for (const place of ['', ...below]) {
    for (const candidate of [name, `${name}.gz`]) {
      const path = join(folder, place, candidate);
      if (!(await stat(path).catch(() => undefined))?.isFile()) continue;
      mustLieIn(path, dataRoots(baseDirectory));
      return path;
    }
  }
  const there = await readdir(folder);
  throw new InputError(
    `There is no ${name} (or ${name}.gz) in ${folder}${below.length > 0 ? ` or its ${below.join(', ')}` : ''}.`,
    `It has ${there.slice(0, 6).join(', ') || 'no files'}${there.length > 6 ? ', ...' : ''}.`,
    'path',
  );
}

/** Reads source files once each and keeps the digest of the very bytes that were read, so that data and digest cannot be of different files. */
export class SourceReader {
  /** SHA-256 by the name that `Loader.sources` gives. */
  readonly digests: Record<string, string> = {};

  /**
   * The bytes of a file, decompressed if its name ends in `.gz`. Throws `InputError` for a broken archive, and for more bytes than the limit before
   * they are in memory.
   */
  async read(name: string, path: string, limit: Limit): Promise<Uint8Array> {
    const most = isArchive(path) ? packedAtMost(limit.bytes) : limit.bytes;
    if ((await stat(path)).size > most) throw tooLarge(path, limit);
    const bytes = await readFile(path);
    this.digests[name] = digestOf(bytes);
    if (!isArchive(path)) return bytes;
    try {
      return await unzip(bytes, { maxOutputLength: limit.bytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, limit);
      throw noArchive(path, error);
    }
  }
}

/** Whether a file is unpacked when it is read. */
export function isArchive(path: string): boolean {
  return path.endsWith('.gz');
}

/** Bytes of an archive of so many that cannot be made smaller, with all that it may say of itself. */
function packedAtMost(bytes: number): number {
  return bytes * (1 + 1 / 64) + 2 ** 16;
}

/** The first bytes of what a file holds, unpacked as by {@link SourceReader.read}; fewer if there are no more. Throws `InputError` for a broken archive. */
export async function headOf(path: string, count: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(headBytes), position: 0 });
    const head = buffer.subarray(0, bytesRead);
    if (!isArchive(path)) return head.subarray(0, count);
    const isAll = bytesRead < headBytes;
    return (await unzip(head, isAll ? {} : { finishFlush: constants.Z_SYNC_FLUSH })).subarray(0, count);
  } catch (error) {
    throw isArchive(path) ? noArchive(path, error) : error;
  } finally {
    await file.close();
  }
}

function noArchive(path: string, error: unknown): InputError {
  return new InputError(
    `${path} is truncated or not a gzip file: ${(error as Error).message}.`,
    'Get the file again.',
  );
}

/** SHA-256 of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Digests of files that this process has read, with the size and time that they had. */
const known = new Map<string, { readonly seen: string; readonly digest: Promise<string> }>();

/** SHA-256 of a file. It is read again only when its size, time or place on the disk has changed: every cell of a sweep asks for it. */
export async function fileDigest(path: string): Promise<string> {
  const { size, mtimeMs, ctimeMs, ino } = await stat(path);
  const seen = `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  const before = known.get(path);
  if (before?.seen === seen) return before.digest;
  const digest = readDigest(path);
  known.set(path, { seen, digest });
  digest.catch(() => known.delete(path));
  return digest;
}

async function readDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
