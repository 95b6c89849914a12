import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { arrowFiles } from '../../arrow/when-needed.ts';
import { DamagedArtifactError, DamagedRecordError, EnvironmentError } from '../../errors.ts';
import type { ArtifactRef } from '../../reference.ts';
import { CheckedFiles } from '../checked-files.ts';
import { artifactFileName, checkedName, stepFileName } from '../names.ts';
import { seal, sealStep, unseal, unsealStep } from '../seal.ts';
import type { StepRecord } from '../step.ts';
import type { Store, StoreOptions } from '../store.ts';
import { type ArtifactObject, ArtifactObjects } from './artifacts.ts';
import { Bucket, type Condition } from './bucket.ts';
import { objectCheckpoint } from './checkpoint.ts';
import type { S3Location } from './location.ts';
import { ObjectCache } from './object-cache.ts';

/** Records that are waited for at the same time. */
const atATime = 32;
/** What uploads of processes that were killed have left is removed after this time. */
const dayMs = 86_400_000;
/** A step whose record others keep changing is given up after this many rounds. */
const rounds = 10;

/**
 * A store in a bucket; any number of processes on any machines may use it at once. Keys and bytes are those of files in a folder store. Artifacts are
 * read through copies on the disk of this machine.
 *
 * Throws {@link EnvironmentError} if the bucket cannot be reached with the credentials that the AWS SDK finds.
 */
export async function openS3Store(
  location: S3Location,
  { mostRemembered, cache: cacheOptions }: StoreOptions = {},
): Promise<Store> {
  const cache = await ObjectCache.open(cacheOptions);
  const bucket = await Bucket.open(location);
  await bucket.removeUnfinished(dayMs);
  const checked = new CheckedFiles(mostRemembered);
  const artifacts = new ArtifactObjects(bucket, cache, checked);

  const damaged = (ref: ArtifactRef, { name }: ArtifactObject) =>
    new DamagedArtifactError(
      `The ${ref.kind} artifact ${bucket.uriOf(name)} is gone or does not match its digest.`,
    );

  const readStep = async (key: string): Promise<StepRecord | undefined> => {
    const found = await bucket.get(stepFileName(key));
    return found && unsealStep(textOf(found.bytes), key);
  };
  const readText = async (name: string): Promise<string | undefined> => {
    const found = await bucket.get(checkedName('record name', name));
    if (found === undefined) return undefined;
    const body = unseal(textOf(found.bytes), name);
    if (body === undefined) throw new DamagedRecordError(name, bucket.uri);
    return body;
  };

  return {
    uri: bucket.uri,

    write: (kind, metadata, fill) =>
      cache.withNewFile(async (file) => {
        const { writeArrowFile, writeMetadata } = await arrowFiles();
        const all = { ...metadata, ...writeMetadata({ kind }) };
        const written = checked.collect();
        const { sha256, bytes } = await writeArrowFile(file, kind, all, fill, written.add);
        const artifact = objectOf(sha256);
        await written.remember(await artifacts.write(artifact, file, bytes));
        return { uri: bucket.uriOf(artifact.name), sha256, kind, bytes };
      }),

    async open(ref) {
      const artifact = objectOf(ref.sha256);
      const bytes = await artifacts.read(artifact, (path) => checked.bytes(path, ref.sha256));
      if (bytes === undefined) throw damaged(ref, artifact);
      const { readArrow } = await arrowFiles();
      return readArrow(bytes, ref.kind, bucket.uriOf(artifact.name));
    },
    async describe(ref) {
      const artifact = objectOf(ref.sha256);
      const metadata = await artifacts.read(artifact, (path) => checked.metadata(path, ref.sha256));
      if (metadata === undefined) throw damaged(ref, artifact);
      return { kind: ref.kind, path: bucket.uriOf(artifact.name), metadata };
    },
    async find(sha256, kind) {
      const { name } = objectOf(sha256);
      const state = await bucket.state(name);
      return state && { uri: bucket.uriOf(name), sha256, kind, bytes: state.bytes };
    },
    async verify({ sha256 }) {
      const isWhole = async (path: string) => (await checked.isWhole(path, sha256)) || undefined;
      return (await artifacts.read(objectOf(sha256), isWhole)) ?? false;
    },

    readStep,
    readSteps: (keys) => several(keys, readStep),
    async writeStep(record) {
      const name = stepFileName(record.key);
      const text = sealStep(record);
      let condition: Condition = 'absent';
      for (let round = 0; round < rounds; round++) {
        if ((await bucket.put(name, Buffer.from(text), condition)) !== undefined) return;
        const found = await bucket.get(name);
        const other = found && unsealStep(textOf(found.bytes), record.key);
        // Another worker has done the same.
        if (other !== undefined && isSame(other, unsealStep(text, record.key)!)) return;
        condition = found === undefined ? 'absent' : { etag: found.etag };
      }
      throw new EnvironmentError(
        `${bucket.uriOf(name)} changed each time that it was to be written.`,
        'See what else writes there.',
      );
    },

    checkpoint: (key) => objectCheckpoint(bucket, key),

    readText,
    readTexts: (names) =>
      several<string | undefined | DamagedRecordError>(names, (name) =>
        readText(name).catch((error: unknown) => {
          if (error instanceof DamagedRecordError) return error;
          throw error;
        }),
      ),
    async writeText(name, text) {
      await bucket.put(checkedName('record name', name), Buffer.from(seal(text, name)));
    },
    async listTexts(prefix) {
      const names = await bucket.names(checkedName('record name', prefix));
      return names.filter((name) => !/(^|\/)\.[^/]*$/.test(name)).sort();
    },
    async listFolder(prefix) {
      const names = await bucket.partsOf(checkedName('record name', prefix));
      return names.filter((name) => !name.startsWith('.')).sort();
    },

    listFiles: (within) => bucket.files(within === undefined ? '' : `${checkedName('file name', within)}/`),
    async removeFile(name) {
      const isThere = (await bucket.state(checkedName('file name', name))) !== undefined;
      if (isThere) await bucket.remove(name);
      return isThere;
    },
    async *readBytes(ref) {
      const artifact = objectOf(ref.sha256);
      const bytes = await bucket.stream(artifact.name);
      if (bytes === undefined) throw damaged(ref, artifact);
      yield* bytes;
    },
  };
}

function objectOf(sha256: string): ArtifactObject {
  return { name: artifactFileName(sha256), sha256 };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** Whether two records say the same of a step, whoever has done it. */
function isSame(one: StepRecord, other: StepRecord): boolean {
  const said = ({ provenance: _, ...rest }: StepRecord) => rest;
  return isDeepStrictEqual(said(one), said(other));
}

function several<T>(names: readonly string[], read: (name: string) => Promise<T>): Promise<T[]> {
  const limit = pLimit(atATime);
  return Promise.all(names.map((name) => limit(() => read(name))));
}
