import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, vi } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import { type S3Server, startS3Server } from '../../fixtures/versitygw.ts';
import type { Raw, StoreKindUnderTest } from './harness.ts';

const mostBytes = 1e9;

/** Stores in buckets of a server of their own, which this process and those it starts find as the AWS SDK does; await it at the top of a file. */
export async function bucketStores(): Promise<StoreKindUnderTest & { readonly server: S3Server }> {
  const server = await startS3Server();
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  const caches = mkdtempSync(join(tmpdir(), 'epochal-test-'));
  const client = new S3Client({ forcePathStyle: true });
  afterAll(async () => {
    client.destroy();
    await server.stop();
    rmSync(caches, { recursive: true, force: true });
  });
  let made = 0;
  return {
    name: 'a bucket',
    environment: server.environment,
    server,
    async place() {
      const bucket = `bucket-${made++}`;
      server.makeBucket(bucket);
      const uri = `s3://${bucket}/with/prefix`;
      return {
        uri,
        raw: rawBucket(client, bucket, 'with/prefix/'),
        // As on another machine: with a cache of its own.
        open: (options) =>
          openStore(uri, { cache: { folder: mkdtempSync(join(caches, 'cache-')), mostBytes }, ...options }),
      };
    },
  };
}

function rawBucket(client: S3Client, Bucket: string, prefix: string): Raw {
  const object = (name: string) => ({ Bucket, Key: `${prefix}${name}` });
  return {
    async read(name) {
      try {
        const { Body } = await client.send(new GetObjectCommand(object(name)));
        return await Body!.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async write(name, bytes) {
      await client.send(new PutObjectCommand({ ...object(name), Body: bytes }));
    },
    async remove(name) {
      await client.send(new DeleteObjectCommand(object(name)));
    },
    async list() {
      const names: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        // Of the whole bucket: a store leaves nothing beside its prefix.
        const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
        names.push(...(page.Contents ?? []).map(({ Key }) => Key!));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
      return names.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : `/${name}`)).sort();
    },
  };
}
