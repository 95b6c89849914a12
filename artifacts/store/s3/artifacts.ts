import { createHash } from 'node:crypto';
import { EnvironmentError } from '../../errors.ts';
import { ifUnreadable } from '../atomic-file.ts';
import type { CheckedFiles } from '../checked-files.ts';
import { type Bucket, type Condition, type ObjectState, partBytes } from './bucket.ts';
import type { ObjectCache } from './object-cache.ts';

/** A read or a write that others keep getting in the way of is given up after this many rounds. */
const rounds = 10;

/** An artifact as an object, of which nothing is believed before its digest is taken. */
export interface ArtifactObject {
  readonly name: string;
  readonly sha256: string;
}

/** Objects that are artifacts, through copies on the disk of this machine. */
export class ArtifactObjects {
  readonly #bucket: Bucket;
  readonly #cache: ObjectCache;
  readonly #checked: CheckedFiles;
  readonly #fetching = new Map<string, Promise<Fetched>>();

  constructor(bucket: Bucket, cache: ObjectCache, checked: CheckedFiles) {
    this.#bucket = bucket;
    this.#cache = cache;
    this.#checked = checked;
  }

  /**
   * What `use` makes of the path of a copy of an artifact; undefined if the artifact is gone or not whole. `use` takes the copy's digest, and gives
   * undefined if it is not there or not whole: it is then fetched. A copy is one of the object as it is now: whether that is so, the server is
   * asked each time.
   */
  async read<T>(
    artifact: ArtifactObject,
    use: (path: string) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    for (let round = 0; round < rounds; round++) {
      const state = await this.#bucket.state(artifact.name);
      if (state === undefined) return undefined;
      const copy = this.#copyOf(artifact, state);
      const found = await use(this.#cache.pathOf(copy)).catch(ifUnreadable);
      if (found !== undefined) {
        await this.#cache.markUsed(copy);
        return found;
      }
      const fetched = await this.#fetchOnce(artifact, state, copy);
      if (fetched === 'damaged') return undefined;
      // Another process may need the room at once.
      const now = fetched === 'whole' ? await use(this.#cache.pathOf(copy)).catch(ifUnreadable) : undefined;
      if (now !== undefined) return now;
    }
    throw this.#disturbed(artifact);
  }

  /**
   * Puts a file where its artifact belongs, unless it is there already, whoever has put it there; what is damaged is replaced. The file becomes its
   * copy. Gives the path of that.
   */
  async write(artifact: ArtifactObject, file: string, bytes: number): Promise<string> {
    const { name, sha256 } = artifact;
    let condition: Condition = 'absent';
    // To find at its end that a large one was for nothing would be a pity.
    let state = bytes > partBytes ? await this.#bucket.state(name) : undefined;
    for (let round = 0; round < rounds; round++) {
      let etag: string | undefined;
      if (state === undefined || condition !== 'absent') {
        etag = await this.#bucket.put(name, { file, bytes }, condition);
        state = await this.#bucket.state(name);
      }
      if (state !== undefined && (state.etag === etag || (await this.#isWhole(artifact, state))))
        return this.#cache.add(file, this.#copyOf(artifact, state));
      condition = state === undefined ? 'absent' : { etag: state.etag };
    }
    throw this.#disturbed({ name, sha256 });
  }

  async #isWhole(artifact: ArtifactObject, state: ObjectState): Promise<boolean> {
    const copy = this.#cache.pathOf(this.#copyOf(artifact, state));
    if (await this.#checked.isWhole(copy, artifact.sha256)) return true;
    return (await this.#bucket.digest(artifact.name, state)) === artifact.sha256;
  }

  /** Several that need the same one at once wait for one. */
  async #fetchOnce(artifact: ArtifactObject, state: ObjectState, copy: string): Promise<Fetched> {
    const fetching = this.#fetching.get(copy) ?? this.#fetch(artifact, state, copy);
    this.#fetching.set(copy, fetching);
    try {
      return await fetching;
    } finally {
      this.#fetching.delete(copy);
    }
  }

  #fetch({ name, sha256 }: ArtifactObject, state: ObjectState, copy: string): Promise<Fetched> {
    return this.#cache.withNewFile(async (file) => {
      const digest = await this.#bucket.digest(name, state, file);
      if (digest === undefined) return 'another';
      if (digest !== sha256) return 'damaged';
      await this.#cache.add(file, copy);
      return 'whole';
    });
  }

  /** Names the copy of an object in one state. */
  #copyOf({ name }: ArtifactObject, { etag, bytes, modified }: ObjectState): string {
    return createHash('sha256')
      .update([this.#bucket.uri, name, etag, bytes, modified].join('\n'))
      .digest('hex')
      .slice(0, 32);
  }

  #disturbed({ name }: ArtifactObject): EnvironmentError {
    return new EnvironmentError(
      `${this.#bucket.uriOf(name)} changed, or its copy went, each time that it was looked at.`,
      'See what else writes there, and give EPOCHAL_STORE_CACHE_GB more room.',
    );
  }
}

/** `another`: while it was fetched, it went or became another. */
type Fetched = 'whole' | 'damaged' | 'another';
