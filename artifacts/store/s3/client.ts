import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Location } from './location.ts';

/** How often a request is tried, with waits of up to 20 seconds that double: for three seconds or so, and for about a minute. */
export const patience = { opening: 6, working: 11 } as const;

/** Milliseconds without a connection, and without a byte on it, after which a request is tried again. */
const connectionTimeout = 10_000;
const socketTimeout = 60_000;

/**
 * A client for a location. What its URI does not say is found as the AWS SDK finds it (environment, shared configuration); credentials come from
 * there alone.
 */
export function connectTo(location: S3Location, maxAttempts: number): S3Client {
  const { region, endpoint } = location;
  const own = endpointOf(location);
  const config: S3ClientConfig = {
    maxAttempts,
    requestHandler: { connectionTimeout, socketTimeout },
    // Digests are taken here; an object that is not what it was is damaged, and no failed request.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Few other servers have names for their buckets.
    forcePathStyle: location.pathStyle ?? own !== undefined,
  };
  if (endpoint !== undefined) config.endpoint = endpoint;
  if (region !== undefined) config.region = region;
  // Most other servers have no regions; requests are signed for one all the same.
  else if (own !== undefined && !process.env.AWS_REGION) config.region = 'us-east-1';
  return new S3Client(config);
}

/** The server of a location, for messages. */
export function serverOf(location: S3Location): string {
  return endpointOf(location) ?? `S3 in ${location.region ?? process.env.AWS_REGION ?? 'the default region'}`;
}

function endpointOf({ endpoint }: S3Location): string | undefined {
  return endpoint ?? (process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || undefined);
}
