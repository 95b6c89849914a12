import { readFileSync } from 'node:fs';
import { loadClientConfigProfile } from '@temporalio/envconfig';
import { InputError } from '../../artifacts/errors.ts';
import { optionOf, type PlaceWords } from './place-words.ts';

/** Certificates and keys, as PEM texts. Without any, TLS with what the system trusts. */
export interface TlsMaterial {
  /** Of who signs the server's certificate. */
  readonly ca?: string;
  /** By which the server knows this client. */
  readonly client?: { readonly certificate: string; readonly key: string };
  /** The name that stands in the server's certificate, if it is not that of the address. */
  readonly serverName?: string;
}

/** Where a Temporal server is, and how to be let in. It holds secrets: nothing of it but address and namespace is ever written down. */
export interface ServerPlace {
  /** HOST:PORT. */
  readonly address: string;
  readonly namespace: string;
  readonly tls?: TlsMaterial;
  readonly apiKey?: string;
  /** Whether it is not to read what goes through it. */
  readonly hides?: boolean;
  /** Headers of each request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The profile file may be there for other programs: it is read only where one of these asks for it. */
const fileVariables = ['TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'];

/**
 * The Temporal server that the options, the environment (`TEMPORAL_ADDRESS` and so on) or a profile name, in this order, as Temporal's own tools read
 * them; undefined if none of them names any. Throws {@link InputError} for a profile, file or combination that cannot be used.
 */
export function findPlace(
  words: PlaceWords,
  environment: NodeJS.ProcessEnv = process.env,
): ServerPlace | undefined {
  const profile = readProfile(words, environment);
  const address = words.address ?? profile.address;
  if (address === undefined) {
    refuseWithoutAddress(words, profile.address);
    return undefined;
  }
  if (!/^[^\s/]+:\d+$/.test(address))
    throw new InputError(
      `The address ${address} is none.`,
      'Give HOST:PORT, such as temporal.example.org:7233.',
    );
  const apiKey =
    words.apiKeyFile === undefined ? profile.apiKey : readGiven('--api-key-file', words.apiKeyFile).trim();
  const tls = tlsOf(words, profile, apiKey !== undefined);
  return {
    address,
    namespace: words.namespace ?? profile.namespace ?? 'default',
    hides: hidesFrom(environment),
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(profile.grpcMeta === undefined ? {} : { headers: profile.grpcMeta }),
  };
}

/** By default a server elsewhere cannot read what is said through it; all that take part read both. */
function hidesFrom({ EPOCHAL_PAYLOADS: wanted = '' }: NodeJS.ProcessEnv): boolean {
  if (!['', 'readable', 'encrypted'].includes(wanted))
    throw new InputError(`EPOCHAL_PAYLOADS is ${wanted}.`, 'It may be readable or encrypted, the default.');
  return wanted !== 'readable';
}

type Profile = ReturnType<typeof loadClientConfigProfile>;

function readProfile({ profile }: PlaceWords, environment: NodeJS.ProcessEnv): Profile {
  const asks = profile !== undefined || fileVariables.some((name) => (environment[name] ?? '') !== '');
  const set = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith('TEMPORAL_') && value !== undefined && value !== '' ? [[name, value] as const] : [],
  );
  const { HOME, XDG_CONFIG_HOME, APPDATA } = environment;
  const overrideEnvVars = {
    ...Object.fromEntries(Object.entries({ HOME, XDG_CONFIG_HOME, APPDATA }).filter(isSet)),
    ...Object.fromEntries(set),
  };
  try {
    const found = loadClientConfigProfile({
      ...(profile === undefined ? {} : { profile }),
      disableFile: !asks,
      overrideEnvVars,
    });
    if (profile !== undefined && found.address === undefined)
      throw new Error('it has no address, or there is none of this name');
    return found;
  } catch (error) {
    const name = profile ?? environment.TEMPORAL_PROFILE ?? 'default';
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `The profile ${name} of a Temporal server cannot be read: ${reason}.`,
      '`temporal config list` shows the profiles of this machine; TEMPORAL_CONFIG_FILE names another file.',
    );
  }
}

function isSet(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

function refuseWithoutAddress(words: PlaceWords, address: string | undefined): void {
  const given = Object.entries(words).find(([name, value]) => value !== undefined && name !== 'address');
  if (given === undefined || address !== undefined) return;
  throw new InputError(
    `${optionOf(given[0])} is for a Temporal server of your own, and none is named.`,
    'Name it with --address HOST:PORT, TEMPORAL_ADDRESS or --profile; or leave it out: the home has a server of its own.',
  );
}

function tlsOf(words: PlaceWords, { tls }: Profile, isDefault: boolean): TlsMaterial | undefined {
  const { tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName } = words;
  const isAsked = [words.tls, tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName].some(
    (word) => word !== undefined,
  );
  if (!isAsked && (tls === undefined ? !isDefault : tls.disabled === true)) return undefined;
  const ca = pem('--tls-ca-path', tlsCaPath, tls?.serverCACert);
  const certificate = pem('--tls-cert-path', tlsCertPath, tls?.clientCert);
  const key = pem('--tls-key-path', tlsKeyPath, tls?.clientKey);
  const serverName = tlsServerName ?? tls?.serverName;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new InputError(
      `A client certificate needs its key: only the ${certificate === undefined ? 'key' : 'certificate'} is given.`,
      'Give both --tls-cert-path and --tls-key-path.',
    );
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { client: { certificate, key } }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

type Source = NonNullable<Profile['tls']>['clientCert'];

/** The PEM text of an option's file, or of a profile. */
function pem(option: string, file: string | undefined, source: Source): string | undefined {
  if (file === undefined && source === undefined) return undefined;
  const text =
    file !== undefined
      ? readGiven(option, file)
      : 'path' in source!
        ? readGiven('the profile', source.path)
        : Buffer.from(source!.data).toString();
  if (!text.includes('-----BEGIN '))
    throw new InputError(`What ${option} names is no PEM file.`, 'It begins with -----BEGIN …-----.');
  return text;
}

function readGiven(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${file}, which ${option} names, cannot be read (${code}).`, 'Check the path.');
  }
}
