import { readFile } from 'node:fs/promises';
import type { Client, Connection } from '@temporalio/client';
import type { Home } from '../../runtime/home.ts';
import type { ServerPlace } from '../../runtime/server/place.ts';
import { areAny } from '../../runtime/server/place-words.ts';
import { isTaken } from '../../runtime/server/ports.ts';
import { type ServerOptions, serverWords } from './shared.ts';

const probeMs = 1500;

export interface Connected {
  readonly client: Client;
  readonly connection: Connection;
  readonly place: ServerPlace;
}

/** The server that options or environment name, which must answer; or the embedded one of the home, undefined if it is not running. */
export async function findServer(home: Home, options: ServerOptions): Promise<Connected | undefined> {
  const place = await placeOfServer(options);
  if (place !== undefined) return connectTo(home, place);
  const port = await recordedPort(home);
  if (port === undefined || !(await isTaken(port))) return undefined;
  const own = { address: `127.0.0.1:${port}`, namespace: 'default' };
  return connectTo(home, own, { connectTimeoutMs: probeMs }).catch(() => undefined);
}

/** The server that options or environment name, if any. */
export async function placeOfServer(options: ServerOptions): Promise<ServerPlace | undefined> {
  const words = serverWords(options);
  if (!areAny(words, process.env)) return undefined;
  const { findPlace } = await import('../../runtime/server/place.ts');
  return findPlace(words);
}

/** A client of the server at `place`. */
export async function connectTo(
  home: Home,
  place: ServerPlace,
  options: { readonly connectTimeoutMs?: number } = {},
): Promise<Connected> {
  const { connect, createClient } = await loadClient();
  const connection = await connect(place, options);
  return { client: createClient(home, connection, place), connection, place };
}

/** It is only needed where there is a server. */
function loadClient() {
  return import('../../runtime/study/client.ts');
}

/** Whether something serves where the home's server was last: it runs then, though it may be too busy to answer in time. */
export async function mayHaveServer(home: Home): Promise<boolean> {
  const port = await recordedPort(home);
  return port !== undefined && (await isTaken(port));
}

async function recordedPort(home: Home): Promise<number | undefined> {
  try {
    return (JSON.parse(await readFile(home.serverRecord, 'utf8')) as { port: number }).port;
  } catch {
    return undefined;
  }
}
