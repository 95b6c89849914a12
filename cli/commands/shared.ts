import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { milliseconds } from '../../compiler/duration.ts';
import { queueName } from '../../compiler/queue-name.ts';
import { type Home, openHome } from '../../runtime/home.ts';
import { optionOf, type PlaceWords } from '../../runtime/server/place-words.ts';

export interface PlaceOptions {
  readonly home?: string;
  readonly store?: string;
}

export interface ServerOptions extends PlaceWords {
  readonly keyFile?: string;
}

/** Adds `--home` and `--store`. */
export function addPlaceOptions(command: Command): Command {
  return command
    .option('--home <dir>', 'where state is kept; default: EPOCHAL_HOME, else .epochal')
    .option(
      '--store <uri>',
      'where artifacts are kept, a folder or s3://bucket/prefix; default: store in the home',
    );
}

/** Adds `--address`, what else tells of a server, and `--key-file`. */
export function addServerOptions(command: Command): Command {
  return command
    .option(
      '--address <host:port>',
      'a Temporal server of your own; default: TEMPORAL_ADDRESS, else the one of the home',
    )
    .option('--namespace <name>', 'namespace on that server')
    .option('--profile <name>', 'a server by its name in the profile file of the Temporal CLI')
    .option('--tls', 'speak TLS with it, trusting what this system trusts')
    .option('--tls-ca-path <file>', 'certificate of who has signed that of the server')
    .option('--tls-cert-path <file>', 'certificate by which the server knows you')
    .option('--tls-key-path <file>', 'key of that certificate')
    .option(
      '--tls-server-name <name>',
      'name in the certificate of the server, if it is not that of the address',
    )
    .option('--api-key-file <file>', 'key of the API; default: TEMPORAL_API_KEY')
    .option('--key-file <file>', 'key of the studies there; default: EPOCHAL_KEY_FILE, else key in the home');
}

/** What the options tell of a server. */
export function serverWords(options: ServerOptions): PlaceWords {
  const { address, namespace, profile, apiKeyFile } = options;
  const { tls, tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName } = options;
  const words = {
    ...{ address, namespace, profile, apiKeyFile },
    ...{ tls, tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName },
  };
  return Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined));
}

/** The options that tell of a server, as they stand on a command line, each with a space before it. */
export function serverFlags(options: ServerOptions): string {
  const { keyFile } = options;
  const words = { ...serverWords(options), ...(keyFile === undefined ? {} : { keyFile }) };
  return Object.entries(words)
    .map(([name, word]) => ` ${optionOf(name)}${word === true ? '' : ` ${quoted(String(word))}`}`)
    .join('');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The home and the store that the options name. */
export async function openPlace(
  options: PlaceOptions & Pick<ServerOptions, 'keyFile'>,
): Promise<{ home: Home; store: Store; storeUri: string }> {
  const home = openHome(options);
  const storeUri = placeOfStore(options, home);
  return { home, storeUri, store: await openStore(storeUri) };
}

/** The store that the options name, by a URI or an absolute path: other processes have other working directories. */
export function placeOfStore({ store }: PlaceOptions, home: Home): string {
  if (store === undefined) return home.store;
  return store.includes('://') ? store : path.resolve(store);
}

/** Turns what a command's action gives into the exit code of the program; `main` tells what it throws. */
export function handled<Arguments extends unknown[]>(
  action: (...args: Arguments) => Promise<number>,
): (...args: Arguments) => Promise<void> {
  return async (...args) => {
    process.exitCode = await action(...args);
  };
}

/** Reads the value of an option that counts something. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a positive whole number.');
  return value;
}

/** Reads a priority among studies. */
export function priorityLevel(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 5)
    throw new InvalidArgumentError('It must be 1, 2, 3, 4 or 5; 1 comes first.');
  return value;
}

/** Reads one more name of a queue of stages. */
export function queueNames(text: string, before: readonly string[] = []): readonly string[] {
  const { pattern, maxLength, expects } = queueName;
  if (!new RegExp(pattern, 'u').test(text) || text.length > maxLength)
    throw new InvalidArgumentError(`It must be ${expects.replaceAll('`', '')}.`);
  return [...before, text];
}

/** Reads a duration, as pipelines have them, in milliseconds. */
export function duration(text: string): number {
  if (!/^\d+(\.\d+)?[smhd]$/.test(text))
    throw new InvalidArgumentError('It must be a duration, such as 30s, 10m or 2h.');
  return milliseconds(text);
}

/** Of `--concurrency`. */
export const concurrencyHelp =
  'stages of one thread at the same time; default: one for each core and 2 GB of memory';

/** Reads a port. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('It must be a port, 1 to 65535.');
  return value;
}
