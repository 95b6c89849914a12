import { EnvironmentError, StoreUnavailableError } from '../../errors.ts';

/** What a failed request says of itself, as far as it is known here. */
interface Failed {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** True if a request failed because of the state in which it found an object: it was there, not there, or another one. */
export function isConflict(error: unknown): boolean {
  const { name, $metadata } = error as Failed;
  return [409, 412].includes($metadata?.httpStatusCode ?? 0) || name === 'ConditionalRequestConflict';
}

/** True if there is no such object. */
export function isAbsent(error: unknown): boolean {
  const { name, $metadata } = error as Failed;
  return (
    name === 'NoSuchKey' ||
    name === 'NotFound' ||
    ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket')
  );
}

/** Errors of a disk of this machine. */
const ofDisk = [
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EIO',
  'EMFILE',
];

/** True if the connection broke, not the request: what was asked for may be asked for again. */
export function isBroken(error: unknown): boolean {
  const { name, code, $metadata } = error as Failed;
  if ($metadata?.httpStatusCode !== undefined && $metadata.httpStatusCode >= 300) return false;
  return (
    name === 'TimeoutError' ||
    ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code ?? '')
  );
}

/** A server that is none of S3 answers with a whole page. */
const mostSaid = 300;

const credentialsCure =
  'Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or whatever else the AWS SDK looks for; to each worker too.';

/**
 * The error of a request in the user's terms; one that is no request's as it is. Nothing of the request itself is in it, since that bears the
 * name of the access key.
 */
export function explainS3(error: unknown, place: string, server: string): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, code, $metadata } = error as Error & Failed;
  const said = [...new Set([name === 'Error' ? code : name, message])]
    .filter(Boolean)
    .join(': ')
    .slice(0, mostSaid);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return new EnvironmentError(`There are no credentials for ${place}: ${message}.`, credentialsCure);
  if (name === 'NoSuchBucket')
    return new EnvironmentError(
      `There is no bucket for ${place} at ${server}.`,
      'Make it, or correct --store; of a server other than that of AWS, give its URL: ?endpoint=URL or AWS_ENDPOINT_URL.',
    );
  if (message === 'Region is missing')
    return new EnvironmentError(`No region is known for ${place}.`, 'Give it: ?region=NAME or AWS_REGION.');
  const status = $metadata?.httpStatusCode;
  if (status === undefined && ofDisk.includes(code ?? '')) return error;
  if (status === 301 || name === 'AuthorizationHeaderMalformed')
    return new EnvironmentError(
      `The bucket of ${place} is in another region (${said}).`,
      'Give its own: ?region=NAME or AWS_REGION.',
    );
  if (status === 401 || status === 403)
    return new EnvironmentError(
      `${server} refuses what was asked of ${place} (${said}).`,
      `See whether these credentials may read, list, write and delete there. ${credentialsCure}`,
    );
  if (status === undefined && code === undefined && name !== 'TimeoutError') return error;
  return new StoreUnavailableError(
    `${place} could not be reached at ${server}, or failed there (${said}).`,
    'See whether the server runs and this machine reaches it, and run again: finished stages are kept.',
  );
}
