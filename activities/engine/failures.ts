import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  DamagedRecordError,
  InputError,
  RefusedError,
  StoreUnavailableError,
} from '../../artifacts/errors.ts';
import type { FailureDetail } from '../../workflows/messages.ts';
import { OtherVersionError } from '../kinds/known-version.ts';
import { ComputeProcessError } from '../processes/compute-client.ts';
import { NoRoomError } from './full-disk.ts';

/** Thrown when a worker is told to stop: another one takes the stage over at once, from its checkpoint. */
export class WorkerShutdownError extends Error {
  override readonly name = 'WorkerShutdownError';
}

/**
 * The failure of a stage that Temporal is told. The server retries what has befallen the worker or its processes; a failure of the stage's own work
 * is for the cell to retry (`workflows/retries.ts`).
 */
export function toStageFailure(error: unknown): Error {
  if (error instanceof OtherVersionError) return toRefusal(error);
  return toFailure(
    error,
    [ComputeProcessError, WorkerShutdownError, NoRoomError].some((kind) => error instanceof kind),
  );
}

/** Another worker may take the stage at once. Where there is none that knows it, it is asked for less and less often: the attempts last for most of an hour. */
function toRefusal({ name: type, message, cure }: OtherVersionError): ApplicationFailure {
  const nextRetryDelay = Math.min(2 ** (activityInfo().attempt - 1), 60) * 1000;
  return ApplicationFailure.create({ message, type, details: [{ cure }], nextRetryDelay });
}

/** What else may pass has passed by then. */
const recordAttempts = 6;

/**
 * The failure of reading or writing a study's records at an attempt, from 1. All but wrong input, damage and what is refused may pass; a store whose disk is full, or that is not
 * reached, is waited for as long as the workflow allows: a cell whose stages are done is not to fail by it.
 */
export function toRecordFailure(error: unknown, attempt: number): Error {
  const isFinal = [InputError, DamagedRecordError, RefusedError].some((kind) => error instanceof kind);
  const isPatient = error instanceof StoreUnavailableError || attempt < recordAttempts;
  return toFailure(error, !isFinal && isPatient);
}

function toFailure(error: unknown, retryable: boolean): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const { name, message, cure, cells } = (
    error instanceof Error ? error : new Error(String(error))
  ) as Error & FailureDetail;
  const detail: FailureDetail = {
    ...(cure === undefined ? {} : { cure }),
    ...(cells === undefined ? {} : { cells }),
  };
  return ApplicationFailure.create({
    message,
    type: name,
    nonRetryable: !retryable,
    details: [detail],
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
