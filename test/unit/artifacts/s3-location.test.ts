import { expect, test } from 'vitest';
import { openStore, storeUriOf } from '../../../artifacts/store/open-store.ts';
import { parseS3Uri } from '../../../artifacts/store/s3/location.ts';

test('a URI says where a store is and how its server is spoken to', () => {
  expect(parseS3Uri('s3://bucket')).toEqual({ bucket: 'bucket', prefix: '' });
  const all =
    's3://my.bucket-1/a/b=1,c/?sseKmsKeyId=arn:aws:kms:eu-central-1:1:key/2&sse=aws:kms&endpoint=http%3A%2F%2Flocalhost%3A9000/&region=eu-central-1&pathStyle=false';
  expect(parseS3Uri(all)).toEqual({
    ...{ bucket: 'my.bucket-1', prefix: 'a/b=1,c', endpoint: 'http://localhost:9000' },
    ...{ region: 'eu-central-1', pathStyle: false },
    ...{ sse: 'aws:kms', sseKmsKeyId: 'arn:aws:kms:eu-central-1:1:key/2' },
  });
});

test('the same store has the same URI, however it is written', () => {
  const one = storeUriOf('s3://bucket/a/?region=r&endpoint=https://host:9000/');
  expect(one).toBe('s3://bucket/a?endpoint=https://host:9000&region=r');
  expect(storeUriOf(one)).toBe(one);
  expect(storeUriOf('S3://bucket//')).toBe('s3://bucket');
  // What is special in a query stays what it is.
  const odd = storeUriOf('s3://bucket?sse=aws:kms&sseKmsKeyId=a%26region%3Db');
  expect(parseS3Uri(odd).sseKmsKeyId).toBe('a&region=b');
});

test.each([
  's3://ID:hidden@bucket/a',
  's3://hidden@bucket',
  's3://bucket?secretAccessKey=hidden',
  's3://bucket?accessKeyId=hidden',
  's3://bucket?sessionToken=hidden',
  's3://bucket?endpoint=http://id:hidden@host',
])('credentials are refused and not repeated: %s', async (uri) => {
  const refused = await openStore(uri).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    name: 'InputError',
    message: expect.stringMatching(/must have no credentials/),
  });
  expect(() => storeUriOf(uri)).toThrow(/must have no credentials/);
  expect(JSON.stringify(refused) + String(refused)).not.toContain('hidden');
});

test('nor are they repeated of a store that no kind has', () => {
  expect(() => storeUriOf('gs://id:hidden@bucket/a')).toThrow(/no gs stores \(gs:\/\/…@bucket\/a\)/);
});

test.each([
  ['s3://', /name of a bucket/],
  ['s3:///a', /name of a bucket/],
  ['s3://Bucket/a', /"Bucket" is no name of a bucket/],
  ['s3://-a-', /name of a bucket/],
  ['s3://bucket/../a', /no prefix/],
  ['s3://bucket/a//b', /no prefix/],
  ['s3://bucket/ä', /no prefix/],
  ['s3://bucket/a#b', /no URI of a store/],
  ['s3://bucket?regoin=a', /no option "regoin"/],
  ['s3://bucket?region=', /region of the store has no value/],
  ['s3://bucket?pathStyle=yes', /true or false; got "yes"/],
  ['s3://bucket?endpoint=localhost:9000', /no URL of a server/],
  ['s3://bucket?sseKmsKeyId=k', /needs sse/],
])('%s is refused', (uri, message) => {
  expect(() => storeUriOf(uri)).toThrow(expect.objectContaining({ name: 'InputError' }));
  expect(() => storeUriOf(uri)).toThrow(message);
});
