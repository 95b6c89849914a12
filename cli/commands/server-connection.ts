import { readFile } from 'node:fs/promises';
import type { Client, Connection } from '@temporalio/client';
import type { Home } from '../../runtime/home.ts';
import { isTaken } from '../../runtime/server/ports.ts';
import type { ServerOptions } from './shared.ts';

const probeMs = 1500;

export interface Connected {
  readonly client: Client;
  readonly connection: Connection;
  readonly address: string;
}

/** The server at `--address`, which must answer; or the embedded one of the home, undefined if it is not running. */
export async function findServer(
  home: Home,
  { address, namespace = 'default' }: ServerOptions,
): Promise<Connected | undefined> {
  if (address !== undefined) {
    const { connect, createClient } = await loadClient();
    const connection = await connect(address);
    return { client: createClient(home, connection, namespace), connection, address };
  }
  const port = await recordedPort(home);
  if (port === undefined || !(await isTaken(port))) return undefined;
  const { connect, createClient } = await loadClient();
  const own = `127.0.0.1:${port}`;
  try {
    const connection = await connect(own, { connectTimeoutMs: probeMs });
    return { client: createClient(home, connection, namespace), connection, address: own };
  } catch {
    return undefined;
  }
}

/** It is only needed where there is a server. */
function loadClient() {
  return import('../../runtime/study/client.ts');
}

async function recordedPort(home: Home): Promise<number | undefined> {
  try {
    return (JSON.parse(await readFile(home.serverRecord, 'utf8')) as { port: number }).port;
  } catch {
    return undefined;
  }
}
