import { S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { explainS3, isAbsent, isBroken, isConflict } from '../../../artifacts/store/s3/explain.ts';

/** An error as the AWS SDK makes it of an answer; it bears the request's key too. */
const answered = (httpStatusCode: number, name: string, message = 'as S3 says') =>
  Object.assign(new S3ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode } }), {
    AWSAccessKeyId: 'AKIAHIDDEN',
  });
const explained = (error: unknown) => explainS3(error, 's3://bucket/a', 'https://server');

test.each([
  [answered(301, 'PermanentRedirect'), /another region/, /\?region=NAME or AWS_REGION/],
  [answered(400, 'AuthorizationHeaderMalformed'), /another region/, /AWS_REGION/],
  [
    answered(403, 'AccessDenied'),
    /https:\/\/server refuses .*AccessDenied: as S3 says/,
    /read, list, write and delete/,
  ],
  [answered(400, 'ExpiredToken'), /failed there \(ExpiredToken: as S3 says\)/, /run again/],
  [answered(404, 'NoSuchBucket'), /no bucket for s3:\/\/bucket\/a at https:\/\/server/, /AWS_ENDPOINT_URL/],
  [answered(503, 'SlowDown'), /failed there \(SlowDown/, /run again/],
  [answered(200, 'SyntaxError', `<html>${'x'.repeat(5000)}`), /^.{1,500}$/s, /run again/],
  [new Error('Region is missing'), /No region/, /AWS_REGION/],
  [
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    /could not be reached .*ECONNREFUSED: connect/,
    /server runs/,
  ],
])('%s is told with a cure, and without what the request bore', (error, message, cure) => {
  const told = explained(error) as Error & { cure: string };
  expect(told.name).toBe(/failed there/.test(told.message) ? 'StoreUnavailableError' : 'EnvironmentError');
  expect(told.message).toMatch(message);
  expect(told.cure).toMatch(cure);
  expect(told.cause).toBeUndefined();
  expect(JSON.stringify({ ...told }) + told.message + told.stack).not.toContain('AKIAHIDDEN');
});

test('what is no failure of a request stays what it is', () => {
  for (const error of [
    new TypeError('a mistake'),
    Object.assign(new Error('write'), { code: 'ENOSPC' }),
    'a string',
  ])
    expect(explained(error)).toBe(error);
});

test('what a request found is told from a failure', () => {
  expect(isAbsent(answered(404, 'NoSuchKey'))).toBe(true);
  expect(isAbsent(answered(404, 'NotFound'))).toBe(true);
  expect(isAbsent(answered(404, 'NoSuchBucket'))).toBe(false);
  expect(isConflict(answered(412, 'PreconditionFailed'))).toBe(true);
  expect(isConflict(answered(409, 'ConditionalRequestConflict'))).toBe(true);
  expect(isConflict(answered(403, 'AccessDenied'))).toBe(false);
  expect(isBroken(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))).toBe(true);
  expect(isBroken(answered(403, 'AccessDenied'))).toBe(false);
});
