import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { arrowFiles } from '../arrow/when-needed.ts';
import { ifUnreadable } from './atomic-file.ts';

/** Files larger than this share of what may be remembered are not. */
const largestShare = 1 / 4;
/** Bytes that are read at once: most files are far smaller. */
const readAtOnce = 1 << 20;
/** Files whose metadata is remembered. */
const mostDescribed = 500;

/** A file as it was when this process has read or written it. */
interface Remembered {
  /** Its size, times and place on the disk. */
  readonly as: string;
  readonly bytes: Uint8Array;
}

/**
 * The files whose digest this process has checked, as long as they stay as they were then: size, times and place on the disk. Up to `mostBytes` of what it has read or
 * written last are in memory too, and are read from there as long as the file is as it was.
 */
export class CheckedFiles {
  readonly #mostBytes: number;
  readonly #seen = new Map<string, string>();
  /** Of files that were found whole, and of those that this process wrote; oldest first. */
  readonly #metadata = new Map<string, { readonly as: string; readonly metadata: Record<string, string> }>();
  /** Least recently used first. */
  readonly #remembered = new Map<string, Remembered>();
  #bytes = 0;

  constructor(mostBytes = 0) {
    this.#mostBytes = mostBytes;
  }

  /** Paths of the files in memory, the least recently used first. */
  get remembered(): readonly string[] {
    return [...this.#remembered.keys()];
  }

  async isWhole(path: string, sha256: string): Promise<boolean> {
    const now = await look(path);
    if (now === undefined) return false;
    if (this.#seen.get(path) === now.as) return true;
    if ((await digestOf(path, now.size).catch(ifUnreadable)) !== sha256) return false;
    this.#seen.set(path, now.as);
    return true;
  }

  /** The bytes of a file, for the caller to keep; undefined if it is not whole. */
  async bytes(path: string, sha256: string): Promise<Uint8Array | undefined> {
    const now = await look(path);
    if (now === undefined) return undefined;
    const before = this.#recall(path, now.as);
    if (before !== undefined) return copyOf(before);
    if (now.size > readAtOnce && !this.#isSmall(now.size))
      return (await this.isWhole(path, sha256)) ? readWhole(path, now.size) : undefined;
    const bytes = await this.#read(path, sha256, now);
    return bytes !== undefined && this.#isSmall(now.size) ? copyOf(bytes) : bytes;
  }

  /** What a file says of itself; undefined if it is not whole. */
  async metadata(path: string, sha256: string): Promise<Record<string, string> | undefined> {
    const now = await look(path);
    if (now === undefined) return undefined;
    const known = this.#metadata.get(path);
    if (known?.as === now.as) return known.metadata;
    const isUnseen = this.#seen.get(path) !== now.as && now.size <= readAtOnce;
    const bytes = this.#recall(path, now.as) ?? (isUnseen ? await this.#read(path, sha256, now) : undefined);
    if (bytes === undefined && (isUnseen || !(await this.isWhole(path, sha256)))) return undefined;
    const { readArrowMetadata, readMetadataOf } = await arrowFiles();
    const metadata = bytes === undefined ? await readArrowMetadata(path) : readMetadataOf(bytes, path);
    this.#metadata.set(path, { as: now.as, metadata });
    for (const oldest of this.#metadata.keys()) {
      if (this.#metadata.size <= mostDescribed) break;
      this.#metadata.delete(oldest);
    }
    return metadata;
  }

  /** Collects what is written to a file, to be remembered once it has its name. */
  collect(): { add(chunk: Uint8Array): void; remember(path: string): Promise<void> } {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    return {
      add: (chunk) => {
        bytes += chunk.byteLength;
        if (this.#isSmall(bytes)) chunks.push(copyOf(chunk));
        else chunks.length = 0;
      },
      remember: async (path) => {
        const now = this.#isSmall(bytes) ? await look(path) : undefined;
        if (now?.size === bytes) this.#remember(path, { as: now.as, bytes: Buffer.concat(chunks) });
      },
    };
  }

  /** The bytes of a file, read once to take their digest too, and remembered if it is small. */
  async #read(
    path: string,
    sha256: string,
    { as, size }: { readonly as: string; readonly size: number },
  ): Promise<Uint8Array | undefined> {
    const bytes = await readFile(path).catch(ifUnreadable);
    if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== sha256) return undefined;
    this.#seen.set(path, as);
    if (this.#isSmall(size)) this.#remember(path, { as, bytes });
    return bytes;
  }

  #isSmall(bytes: number): boolean {
    return bytes <= this.#mostBytes * largestShare;
  }

  #recall(path: string, as: string): Uint8Array | undefined {
    const found = this.#remembered.get(path);
    if (found?.as !== as) return undefined;
    this.#remembered.delete(path);
    this.#remembered.set(path, found);
    return found.bytes;
  }

  #remember(path: string, file: Remembered): void {
    this.#forget(path);
    this.#remembered.set(path, file);
    this.#bytes += file.bytes.byteLength;
    for (const oldest of this.#remembered.keys()) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(path: string): void {
    this.#bytes -= this.#remembered.get(path)?.bytes.byteLength ?? 0;
    this.#remembered.delete(path);
  }
}

/** The bytes of a file of this size, piece by piece if it is large: Node reads no file of 2 GiB at once. Fewer if the file is shorter by now. */
export async function readWhole(path: string, size: number, mostAtOnce = 2 ** 30): Promise<Uint8Array> {
  if (size <= mostAtOnce) return readFile(path);
  const bytes = new Uint8Array(size);
  const file = await open(path);
  try {
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(mostAtOnce, size - at), at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function digestOf(path: string, bytes: number): Promise<string> {
  const digest = createHash('sha256');
  if (bytes <= readAtOnce) return digest.update(await readFile(path)).digest('hex');
  await pipeline(createReadStream(path, { highWaterMark: readAtOnce }), digest);
  return digest.digest('hex');
}

/** A reader may do as it likes with what it is given. Not by `slice`, which is no copy of a Buffer. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

async function look(path: string): Promise<{ readonly as: string; readonly size: number } | undefined> {
  const info = await stat(path, { bigint: true }).catch(ifUnreadable);
  if (!info?.isFile()) return undefined;
  return { as: `${info.size} ${info.mtimeNs} ${info.ctimeNs} ${info.ino}`, size: Number(info.size) };
}
