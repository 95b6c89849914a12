import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type WorkflowClientInterceptor,
} from '@temporalio/client';
import { EnvironmentError } from '../../artifacts/errors.ts';
import type { Home } from '../home.ts';
import { failuresAs } from '../seal/failures-as.ts';
import { readKey } from '../seal/home-key.ts';
import { sealingCodec } from '../seal/sealing-codec.ts';
import { cancelOnceClosed } from './closed-calls.ts';
import type { ServerPlace } from './place.ts';
import { isLoopback } from './ports.ts';

/** The same for the client, and for the worker's own connection. */
export function connectionOptions({ address, tls, apiKey, headers }: Omit<ServerPlace, 'namespace'>) {
  return {
    address,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.ca === undefined ? {} : { serverRootCACertificate: Buffer.from(tls.ca) }),
            ...(tls.serverName === undefined ? {} : { serverNameOverride: tls.serverName }),
            ...(tls.client === undefined
              ? {}
              : {
                  clientCertPair: {
                    crt: Buffer.from(tls.client.certificate),
                    key: Buffer.from(tls.client.key),
                  },
                }),
          },
        }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(headers === undefined ? {} : { metadata: headers }),
  };
}

/** What to do where no server answers. */
export function cureOf({ tls, apiKey }: Omit<ServerPlace, 'namespace'>): string {
  if (tls === undefined)
    return 'Check the address, and whether the server wants TLS (--tls, --tls-ca-path); or leave it out: then Epochal starts a server of its own.';
  const more = apiKey === undefined ? '' : ', and the API key';
  return `Check the address, whether the server speaks TLS, and its certificates (--tls-ca-path, --tls-server-name, and --tls-cert-path with --tls-key-path)${more}.`;
}

/** Connects to a Temporal server. Throws {@link EnvironmentError} if none answers at its address in time. */
export async function connect(
  place: Omit<ServerPlace, 'namespace'>,
  { connectTimeoutMs = 10_000 } = {},
): Promise<Connection> {
  const connection = Connection.lazy({
    ...connectionOptions(place),
    connectTimeout: connectTimeoutMs,
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), cancelOnceClosed],
    // A proxy that the environment names is for other machines: it could not reach this one under that name.
    ...(isLoopback(place.address.replace(/:\d+$/, ''))
      ? { channelArgs: { 'grpc.enable_http_proxy': 0 } }
      : {}),
  });
  const { noDeprecation = false } = process;
  try {
    // Where the address is a number, gRPC gives it to TLS as a name, of which Node would warn the user, once a process.
    if (place.tls !== undefined) process.noDeprecation = true;
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    await connection.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(`No Temporal server answers at ${place.address} (${reason}).`, cureOf(place));
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** A client that seals what it sends, and believes only what is sealed, with the key of this home. */
export function createClient(
  home: Home,
  connection: Connection,
  { namespace, hides = false }: Pick<ServerPlace, 'namespace' | 'hides'> = { namespace: 'default' },
  workflow: WorkflowClientInterceptor[] = [],
): Client {
  const payloadCodecs = [sealingCodec(readKey(home), 'throw', hides)];
  return new Client({
    connection,
    namespace,
    dataConverter: { payloadCodecs, ...failuresAs(hides) },
    interceptors: { workflow },
  });
}
