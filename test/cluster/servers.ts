/** All that workers share: a Temporal server with PostgreSQL, and an S3 server; and what a process on a host needs to find them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readSetupStamp } from '../../runtime/setup-stamp.ts';
import { makeCertificates } from '../fixtures/certificates.ts';
import type { S3Server } from '../fixtures/versitygw.ts';
import {
  buildServer,
  createSchemas,
  findPostgres,
  type Part,
  ports,
  type ServerPart,
  startPostgres,
  startTemporal,
} from './parts.ts';

export interface Servers extends Part {
  readonly database: { restart(): Promise<void> };
  readonly temporal: ServerPart & { readonly flags: readonly string[] };
  readonly s3: S3Server;
  /** What finds the servers and lets in there; `--profile cluster` names the one of Temporal. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Throws what is missing on this machine; nothing is left running then. */
export async function startServers(folder: string, address: string, bucket: string): Promise<Servers> {
  const programs = buildServer();
  const postgres = findPostgres();
  const certificates = makeCertificates(folder);
  const profile = writeProfile(folder, address, certificates);
  const parts: Part[] = [];
  const stop = async (): Promise<void> => {
    for (const part of parts) await part.stop().catch((error: unknown) => console.error(error));
  };
  try {
    const database = await startPostgres(postgres, folder);
    parts.unshift(database);
    createSchemas(programs.sql);
    const temporal = await startTemporal(programs.server, folder, address, certificates);
    parts.unshift(temporal);
    process.env.EPOCHAL_TEST_VERSITYGW = readSetupStamp().versitygw?.program;
    const { startS3Server } = await import('../fixtures/versitygw.ts');
    const s3 = await startS3Server({ host: address });
    parts.unshift(s3);
    s3.makeBucket(bucket);
    return { database, temporal, s3, environment: { ...profile, ...s3.environment }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function writeProfile(
  folder: string,
  address: string,
  { ca, client }: ReturnType<typeof makeCertificates>,
): NodeJS.ProcessEnv {
  const profiles = path.join(folder, 'temporal.toml');
  const lines = [
    '[profile.cluster]',
    `address = "${address}:${ports.frontend}"`,
    '[profile.cluster.tls]',
    `server_ca_cert_path = "${ca}"`,
    `client_cert_path = "${client.certificate}"`,
    `client_key_path = "${client.key}"`,
    'server_name = "server.example"',
  ];
  writeFileSync(profiles, lines.join('\n'));
  const keyFile = path.join(folder, 'key');
  writeFileSync(keyFile, '4'.repeat(64), { mode: 0o600 });
  return { TEMPORAL_CONFIG_FILE: profiles, EPOCHAL_KEY_FILE: keyFile };
}

/** Folders of a host's own, in `folder`: its home, and through the environment its caches and temporary files. */
export function ownPlaces(folder: string): {
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
} {
  const [home, temporary] = [path.join(folder, 'home'), path.join(folder, 'tmp')];
  mkdirSync(temporary, { recursive: true });
  const environment = {
    ...{ HOME: folder, XDG_CACHE_HOME: undefined, TMPDIR: temporary },
    EPOCHAL_STORE_CACHE: path.join(folder, 'objects'),
  };
  return { home, environment };
}
