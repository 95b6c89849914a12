import { InputError } from '../../errors.ts';
import { isName } from '../names.ts';

/** Where a store in S3 is, and how its server is spoken to. Who may, only the AWS SDK knows. */
export interface S3Location {
  readonly bucket: string;
  /** Of every key in it; without a slash at its end, and perhaps empty. */
  readonly prefix: string;
  /** URL of a server other than that of AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  /** The bucket stands in the path of a request, not in the name of the host. */
  readonly pathStyle?: boolean;
  /** Server-side encryption, as S3 names it: `AES256`, `aws:kms`, ... */
  readonly sse?: string;
  /** The key's name; the server has the key. */
  readonly sseKmsKeyId?: string;
}

const options = ['endpoint', 'region', 'pathStyle', 'sse', 'sseKmsKeyId'] as const;

const example = 's3://bucket/prefix?region=eu-central-1';
const chain =
  'The AWS SDK finds them by itself: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, the role of the machine, ...';

/** Reads `s3://bucket/prefix?option=value`. Throws {@link InputError}, which repeats no credentials, if it is none or has some. */
export function parseS3Uri(uri: string): S3Location {
  const [, host, path = '', query = ''] = /^s3:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i.exec(uri) ?? [];
  if (host === undefined || host.includes('@')) {
    if (/^s3:\/\/[^/]*@/i.test(uri)) throw hasCredentials();
    throw new InputError(`${withoutQuery(uri)} is no URI of a store in S3.`, `It looks so: ${example}`);
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(host))
    throw new InputError(
      `${JSON.stringify(host)} is no name of a bucket: 3 to 63 of a-z, 0-9, - and ., with a letter or digit at both ends.`,
      `A store in S3 looks so: ${example}`,
    );
  const prefix = path.replace(/^\/+|\/+$/g, '');
  if (prefix !== '' && !isName('record name', prefix))
    throw new InputError(
      `${JSON.stringify(prefix)} is no prefix of a store: names of letters, digits and ._=,~+- with a / between them.`,
      `A store in S3 looks so: ${example}`,
    );
  return { bucket: host, prefix, ...parseOptions(query) };
}

function parseOptions(query: string): Partial<S3Location> {
  const given: { -readonly [Name in keyof S3Location]?: S3Location[Name] } = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!(options as readonly string[]).includes(name)) {
      if (/key|secret|token|password|credential|profile/i.test(name)) throw hasCredentials();
      throw new InputError(
        `A store in S3 has no option ${JSON.stringify(name)}.`,
        `It has ${options.join(', ')}.`,
      );
    }
    if (value === '')
      throw new InputError(`The option ${name} of the store has no value.`, `Give one, or leave it out.`);
    if (name === 'endpoint') given.endpoint = endpointIn(value);
    else if (name === 'pathStyle') given.pathStyle = trueOrFalse(name, value);
    else given[name as 'region'] = value;
  }
  if (given.sseKmsKeyId !== undefined && given.sse === undefined)
    throw new InputError('The option sseKmsKeyId needs sse.', 'Add sse=aws:kms.');
  return given;
}

function endpointIn(value: string): string {
  const url = URL.parse(value);
  if (url !== null && `${url.username}${url.password}` !== '') throw hasCredentials();
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '')
    throw new InputError('The option endpoint is no URL of a server.', 'It looks so: https://host:9000');
  return url.href.replace(/\/+$/, '');
}

function trueOrFalse(name: string, value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new InputError(`The option ${name} is true or false; got ${JSON.stringify(value)}.`);
}

function hasCredentials(): InputError {
  return new InputError(
    'The URI of a store must have no credentials: it is kept in plans, records and logs.',
    `Leave them out. ${chain}`,
  );
}

function withoutQuery(uri: string): string {
  return uri.replace(/[?#].*$/, '');
}

/** The URI of a location, the same for the same; the `plain` one has no options. */
export function formatS3Uri(location: S3Location, plain = false): string {
  const { bucket, prefix } = location;
  const place = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
  const query = options.flatMap((name) =>
    location[name] === undefined
      ? []
      : [`${name}=${encodeURIComponent(location[name]).replaceAll('%3A', ':').replaceAll('%2F', '/')}`],
  );
  return plain || query.length === 0 ? place : `${place}?${query.join('&')}`;
}
