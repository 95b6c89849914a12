import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { EnvironmentError } from '../../artifacts/errors.ts';
import type { Home } from '../home.ts';
import { readKey } from '../seal/home-key.ts';
import { sealingCodec } from '../seal/sealing-codec.ts';
import { cancelOnceClosed } from './closed-calls.ts';

/** A proxy that the environment names is for other machines: it could not reach this one under that name. */
function isLoopback(address: string): boolean {
  return /^(127(\.\d+){3}|localhost|\[::1\]):\d+$/.test(address);
}

/** Connects to a Temporal server. Throws {@link EnvironmentError} if none answers at `address` in time. */
export async function connect(address: string, { connectTimeoutMs = 10_000 } = {}): Promise<Connection> {
  const connection = Connection.lazy({
    address,
    connectTimeout: connectTimeoutMs,
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), cancelOnceClosed],
    ...(isLoopback(address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
  });
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `No Temporal server answers at ${address} (${reason}).`,
      'Check the address, or leave it out: then Epochal starts a server of its own.',
    );
  }
}

/** A client that seals what it sends, and believes only what is sealed, with the key of this home. */
export function createClient(home: Home, connection: Connection, namespace = 'default'): Client {
  const payloadCodecs = [sealingCodec(readKey(home), 'throw')];
  return new Client({ connection, namespace, dataConverter: { payloadCodecs } });
}
