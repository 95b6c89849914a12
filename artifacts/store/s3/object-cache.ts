import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { cacheFolder } from '../../cache-folder.mjs';
import { EnvironmentError, InputError, StoreUnavailableError } from '../../errors.ts';
import { ifUnreadable } from '../atomic-file.ts';
import type { CacheOptions } from '../store.ts';

const defaultGigabytes = 10;
const file = 'artifact.arrow';
const incoming = 'incoming';
const dayMs = 86_400_000;
/** What an entry takes on the disk besides its bytes. */
const overhead = 4096;
/** Where something must go, it goes until this share of the room is taken. */
const keptShare = 0.9;
/** Other processes add too: after this share of the room has been added here, the cache is looked through again. */
const unseenShare = 0.02;

/** `EPOCHAL_STORE_CACHE`, else `store` in the cache of the user; `EPOCHAL_STORE_CACHE_GB`. Throws {@link InputError}. */
export function cacheOptions(environment: NodeJS.ProcessEnv = process.env): CacheOptions {
  const { EPOCHAL_STORE_CACHE: folder, EPOCHAL_STORE_CACHE_GB: text } = environment;
  const gigabytes = text ? Number(text) : defaultGigabytes;
  if (!(gigabytes >= 0))
    throw new InputError(`EPOCHAL_STORE_CACHE_GB is ${text}.`, 'It is a number of gigabytes, such as 20.');
  return { folder: folder || join(cacheFolder(environment), 'store'), mostBytes: gigabytes * 1e9 };
}

/**
 * Copies of objects on the disk of this machine, each in a folder that is named for the object and was touched when it was used last. Any number of
 * processes share it; whoever reads a copy takes its digest. Those used least recently go when there is no room for another: all together have at
 * most `mostBytes`, but for one that is larger alone, and for what several processes add at once.
 */
export class ObjectCache {
  readonly #folder: string;
  readonly #mostBytes: number;
  /** As of the last look, and what was added here since; unknown before the first. */
  #bytes = Number.POSITIVE_INFINITY;
  #unseen = 0;

  private constructor({ folder, mostBytes }: CacheOptions) {
    this.#folder = folder;
    this.#mostBytes = mostBytes;
  }

  /** Throws {@link EnvironmentError} if it cannot be made. */
  static async open(options: CacheOptions = cacheOptions()): Promise<ObjectCache> {
    const cache = new ObjectCache(options);
    await cache.#orSay(() => mkdir(join(options.folder, incoming), { recursive: true, mode: 0o700 }));
    await cache.#removeUnfinished();
    return cache;
  }

  /** Where the copy with this name lies, if there is one. */
  pathOf(name: string): string {
    return join(this.#folder, name, file);
  }

  async markUsed(name: string): Promise<void> {
    await markUsed(join(this.#folder, name));
  }

  /** Gives `use` the path of a file that it may make, and that is gone afterwards unless it was added. Throws {@link EnvironmentError} if the disk is full. */
  async withNewFile<T>(use: (path: string) => Promise<T>): Promise<T> {
    const folder = join(this.#folder, incoming, randomBytes(8).toString('hex'));
    return this.#orSay(async () => {
      await mkdir(folder, { recursive: true });
      try {
        return await use(join(folder, file));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  /** Makes a new file the copy with this name, and gives its place. */
  async add(path: string, name: string): Promise<string> {
    const { size } = await stat(path);
    await this.#makeRoom(size + overhead);
    const target = join(this.#folder, name);
    await markUsed(dirname(path));
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await rename(dirname(path), target);
        break;
      } catch (error) {
        // One that is there was found damaged, or another process has just put it there.
        if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
        await rm(target, { recursive: true, force: true });
      }
    }
    return join(target, file);
  }

  async #makeRoom(bytes: number): Promise<void> {
    this.#unseen += bytes;
    this.#bytes += bytes;
    if (this.#bytes <= this.#mostBytes && this.#unseen <= this.#mostBytes * unseenShare) return;
    const entries = await this.#look();
    let total = bytes + entries.reduce((sum, entry) => sum + entry.bytes, 0);
    if (total > this.#mostBytes) {
      for (const entry of entries) {
        if (total <= this.#mostBytes * keptShare) break;
        await rm(entry.folder, { recursive: true, force: true });
        total -= entry.bytes;
      }
    }
    this.#bytes = total;
    this.#unseen = 0;
  }

  /** What there is, the least recently used first. */
  async #look(): Promise<{ readonly folder: string; readonly used: number; readonly bytes: number }[]> {
    const limit = pLimit(32);
    const names = (await readdir(this.#folder)).filter((name) => name !== incoming);
    const entries = await Promise.all(
      names.map((name) =>
        limit(async () => {
          const folder = join(this.#folder, name);
          const used = await stat(folder).catch(ifUnreadable);
          const copy = await stat(join(folder, file)).catch(ifUnreadable);
          return used && { folder, used: used.mtimeMs, bytes: (copy?.size ?? 0) + overhead };
        }),
      ),
    );
    return entries.filter((entry) => entry !== undefined).sort((a, b) => a.used - b.used);
  }

  /** Removes what a process that was killed has left more than a day ago. */
  async #removeUnfinished(): Promise<void> {
    for (const name of await readdir(join(this.#folder, incoming))) {
      const folder = join(this.#folder, incoming, name);
      const last =
        (await stat(join(folder, file)).catch(ifUnreadable)) ?? (await stat(folder).catch(ifUnreadable));
      if (last !== undefined && Date.now() - last.mtimeMs > dayMs)
        await rm(folder, { recursive: true, force: true });
    }
  }

  async #orSay<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code, path } = error as NodeJS.ErrnoException;
      const full = ['ENOSPC', 'EDQUOT'].includes(code ?? '');
      if (!full && !(path?.startsWith(this.#folder) && code !== 'ENOENT')) throw error;
      throw new (full ? StoreUnavailableError : EnvironmentError)(
        full
          ? `The disk is full: there is no space left for ${this.#folder}.`
          : `${this.#folder}, for copies of what is in S3, cannot be written (${code}).`,
        'Free some space, or name another folder in EPOCHAL_STORE_CACHE; EPOCHAL_STORE_CACHE_GB bounds what is kept there.',
      );
    }
  }
}

async function markUsed(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(ifUnreadable);
}
