import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { StoredFile } from '../store.ts';
import { connectTo, patience, serverOf } from './client.ts';
import { explainS3, isAbsent, isBroken, isConflict } from './explain.ts';
import { formatS3Uri, type S3Location } from './location.ts';

/** What is larger goes up in parts of this size, or of the size that makes 10,000 of them. */
export const partBytes = 8 << 20;
const mostParts = 10_000;
const partsAtATime = 4;
/** How often what broke on the way down is asked for again. */
const attempts = 6;

/** An object as a server has it: with these three it has the bytes that it had. */
export interface ObjectState {
  readonly etag: string;
  readonly bytes: number;
  readonly modified: string;
}

/** What must lie under a name for a write to happen: nothing, or the object with this ETag. */
export type Condition = 'absent' | { readonly etag: string };

/** A file on this machine, or bytes. */
export type Body = Uint8Array | { readonly file: string; readonly bytes: number };

/**
 * The objects below the prefix of a location, by names below it. Each method throws {@link import('../../errors.ts').EnvironmentError} when the
 * server cannot be reached for a minute or refuses.
 */
export class Bucket {
  readonly uri: string;
  readonly #location: S3Location;
  readonly #client: S3Client;
  /** Bears what is above all names, the prefix and a slash. */
  readonly #above: string;

  constructor(location: S3Location, client = connectTo(location, patience.working)) {
    this.uri = formatS3Uri(location);
    this.#location = location;
    this.#client = client;
    this.#above = location.prefix === '' ? '' : `${location.prefix}/`;
  }

  /** Looks whether the bucket is there for these credentials. Gives up after a few seconds. */
  static async open(location: S3Location): Promise<Bucket> {
    const first = connectTo(location, patience.opening);
    await new Bucket(location, first).#someNames('', undefined, 1);
    first.destroy();
    return new Bucket(location);
  }

  uriOf(name: string): string {
    return `${formatS3Uri(this.#location, true)}/${name}`;
  }

  async state(name: string): Promise<ObjectState | undefined> {
    const asked = new HeadObjectCommand(this.#key(name));
    const found = await this.#unless(isAbsent, name, () => this.#client.send(asked));
    if (found === undefined) return undefined;
    const { ETag, ContentLength = 0, LastModified } = found;
    return { etag: ETag!, bytes: ContentLength, modified: LastModified?.toISOString() ?? '' };
  }

  async get(name: string): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined> {
    return this.#unless(isAbsent, name, () =>
      again(async () => {
        const { Body, ETag } = await this.#client.send(new GetObjectCommand(this.#key(name)));
        return { bytes: await Body!.transformToByteArray(), etag: ETag! };
      }),
    );
  }

  /** SHA-256 of an object in this state, whose bytes go to `file` if one is given; undefined if it is gone or another by now. */
  async digest(name: string, { etag }: ObjectState, file?: string): Promise<string | undefined> {
    return this.#unless(isElse, name, () =>
      again(async () => {
        const asked = new GetObjectCommand({ ...this.#key(name), IfMatch: etag });
        const body = (await this.#client.send(asked)).Body as Readable;
        const digest = createHash('sha256');
        const sink = file === undefined ? nowhere() : createWriteStream(file);
        await pipeline(
          body,
          async function* (chunks: AsyncIterable<Uint8Array>) {
            for await (const chunk of chunks) {
              digest.update(chunk);
              yield chunk;
            }
          },
          sink,
        );
        return digest.digest('hex');
      }),
    );
  }

  /** Writes an object, whole or not at all, and gives its ETag; undefined if what must lie there does not. */
  async put(name: string, body: Body, condition?: Condition): Promise<string | undefined> {
    const bytes = body instanceof Uint8Array ? body.length : body.bytes;
    const { sse, sseKmsKeyId } = this.#location;
    const common = {
      ...this.#key(name),
      ...(sse === undefined
        ? {}
        : { ServerSideEncryption: sse as PutObjectCommandInput['ServerSideEncryption'] }),
      ...(sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: sseKmsKeyId }),
      ...(condition === undefined
        ? {}
        : condition === 'absent'
          ? { IfNoneMatch: '*' }
          : { IfMatch: condition.etag }),
    };
    return this.#unless(condition === undefined ? never : isElse, name, async () => {
      if (bytes <= partBytes) {
        const whole = body instanceof Uint8Array ? body : await readFile(body.file);
        return (await this.#client.send(new PutObjectCommand({ ...common, Body: whole }))).ETag!;
      }
      const partSize = Math.max(partBytes, Math.ceil(bytes / mostParts));
      const Body =
        body instanceof Uint8Array
          ? Buffer.from(body.buffer, body.byteOffset, bytes)
          : createReadStream(body.file);
      const upload = new Upload({
        client: this.#client,
        partSize,
        queueSize: partsAtATime,
        params: { ...common, Body },
      });
      return (await upload.done()).ETag!;
    });
  }

  async remove(name: string): Promise<void> {
    await this.#unless(isAbsent, name, () => this.#client.send(new DeleteObjectCommand(this.#key(name))));
  }

  /** The bytes of an object, piece by piece; undefined if it is not there. */
  async stream(name: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const asked = new GetObjectCommand(this.#key(name));
    const found = await this.#unless(isAbsent, name, () => this.#client.send(asked));
    return found?.Body as Readable | undefined;
  }

  /** The names that begin with `folder/`. */
  async names(folder: string): Promise<string[]> {
    return (await this.files(`${folder}/`)).map(({ name }) => name);
  }

  /** The objects whose names begin so. */
  async files(beginning: string): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for await (const { Contents = [] } of this.#pages(beginning))
      for (const { Key, Size = 0, LastModified } of Contents)
        files.push({
          name: Key!.slice(this.#above.length),
          bytes: Size,
          writtenAt: LastModified?.getTime() ?? 0,
        });
    return files;
  }

  /** What lies right in a folder: the next part of each name that begins with `folder/`. */
  async partsOf(folder: string): Promise<string[]> {
    const parts: string[] = [];
    const begin = this.#above.length + folder.length + 1;
    for await (const { Contents = [], CommonPrefixes = [] } of this.#pages(`${folder}/`, '/')) {
      for (const { Key } of Contents) parts.push(Key!.slice(begin));
      for (const { Prefix } of CommonPrefixes) parts.push(Prefix!.slice(begin, -1));
    }
    return parts;
  }

  /** Ends uploads that began more than `ageMs` ago and were never finished: nobody sees them, but they are paid for. Where that may not be, they stay. */
  async removeUnfinished(ageMs: number): Promise<void> {
    const { bucket: Bucket } = this.#location;
    try {
      const listed = await this.#client.send(
        new ListMultipartUploadsCommand({ Bucket, Prefix: this.#above }),
      );
      for (const { Key, UploadId, Initiated } of listed.Uploads ?? [])
        if (Initiated !== undefined && Date.now() - Initiated.getTime() > ageMs)
          await this.#client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    } catch {
      // Not every server has them, or lets everybody see them.
    }
  }

  async *#pages(prefix: string, delimiter?: string) {
    let token: string | undefined;
    do {
      const page = await this.#someNames(prefix, delimiter, undefined, token);
      yield page;
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async #someNames(prefix: string, delimiter?: string, most?: number, token?: string) {
    const asked = new ListObjectsV2Command({
      Bucket: this.#location.bucket,
      Prefix: `${this.#above}${prefix}`,
      Delimiter: delimiter,
      MaxKeys: most,
      ContinuationToken: token,
    });
    try {
      return await this.#client.send(asked);
    } catch (error) {
      throw this.#explained(error, prefix);
    }
  }

  #key(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: `${this.#above}${name}` };
  }

  /** What a request gives; undefined if it fails in a way that was foreseen. */
  async #unless<T>(
    isForeseen: (error: unknown) => boolean,
    name: string,
    request: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await request();
    } catch (error) {
      if (isForeseen(error)) return undefined;
      throw this.#explained(error, name);
    }
  }

  #explained(error: unknown, name: string): unknown {
    return explainS3(error, this.uriOf(name), serverOf(this.#location));
  }
}

/** The object is not there, or is another one. */
function isElse(error: unknown): boolean {
  return isAbsent(error) || isConflict(error);
}

function never(): boolean {
  return false;
}

/** The SDK asks again for what did not come at all, but not for a body that broke off. */
async function again<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (attempt === attempts || !isBroken(error)) throw error;
      await setTimeout(100 * 2 ** attempt * Math.random());
    }
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
