import type { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { toRecordFailure } from '../../../activities/engine/failures.ts';
import { EnvironmentError, InputError, StoreUnavailableError } from '../../../artifacts/errors.ts';

const isTriedAgain = (error: Error, attempt: number) =>
  !(toRecordFailure(error, attempt) as ApplicationFailure).nonRetryable;

test('the record of a cell waits for a store that is full or not reached, longer than for anything else that may pass', () => {
  const attempts = [1, 5, 6, 30];
  const tried = (error: Error) => attempts.map((attempt) => isTriedAgain(error, attempt));
  expect(tried(new StoreUnavailableError('The disk is full.'))).toEqual([true, true, true, true]);
  expect(tried(new EnvironmentError('There is no plan.'))).toEqual([true, true, false, false]);
  expect(tried(new InputError('wrong'))).toEqual([false, false, false, false]);
});
