import { EnvironmentError } from '../../errors.ts';
import type { StoreKind } from '../kind.ts';
import { formatS3Uri, parseS3Uri } from '../s3/location.ts';

export const store: StoreKind = {
  scheme: 's3',
  description: 'a bucket of S3 or of a server that speaks its language, s3://bucket/prefix',
  uriOf: (uri) => formatS3Uri(parseS3Uri(uri)),
  async open(uri, options) {
    const location = parseS3Uri(uri);
    const { openS3Store } = await loadS3();
    return openS3Store(location, options);
  },
};

/** Loads the AWS SDK with it, which a store in a folder does not need. */
async function loadS3(): Promise<typeof import('../s3/s3-store.ts')> {
  try {
    return await import('../s3/s3-store.ts');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'@aws-sdk/")) throw error;
    throw new EnvironmentError(
      'A store in S3 needs the AWS SDK, which is not installed.',
      'Install it: `npm install @aws-sdk/client-s3 @aws-sdk/lib-storage`.',
    );
  }
}
