import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import {
  type CellResult,
  type FailureDetail,
  type FailureType,
  longestMessage,
  type StageFailure,
} from './messages.ts';

/** What a failed activity or child workflow has to say to the user. */
export function describeFailure(stage: string, error: unknown): StageFailure {
  const cause =
    error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const cure = (cause.details?.[0] as FailureDetail | undefined)?.cure;
    const type = cause.type ?? 'Error';
    const message = cause.message.slice(0, longestMessage).replace(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, '\ufffd');
    return { stage, message, type, ...(cure === undefined ? {} : { cure }) };
  }
  if (cause instanceof TimeoutFailure) {
    return {
      stage,
      message: `No sign of life from its worker (${cause.timeoutType ?? 'timeout'}), and every retry ended in the same way.`,
      type: 'TimeoutFailure',
      cure: 'Look into the log of the worker. Finished stages are kept: run the pipeline again to go on.',
    };
  }
  if (cause instanceof TerminatedFailure) {
    return { stage, message: 'Its workflow was terminated by hand.', type: 'TerminatedFailure' };
  }
  return { stage, message: cause instanceof Error ? cause.message : String(cause), type: 'Error' };
}

/** What {@link describeFailure} describes so: it was met in an activity that has told of it among other things. */
export function failureOf({ message, type, cure }: StageFailure): ApplicationFailure {
  const detail: FailureDetail = cure === undefined ? {} : { cure };
  return ApplicationFailure.nonRetryable(message, type, detail);
}

/** A stage that ran out of memory beside others, and then alone. */
export function stillOutOfMemory(stage: string, error: unknown): ApplicationFailure {
  const { message, ...rest } = describeFailure(stage, error);
  return failureOf({
    ...rest,
    message: `${message} It had all of its worker's memory to itself the last time.`,
  });
}

/** The cells, by their index in the plan, whose damaged outputs made a `collect` fail. */
export function damagedCells(error: unknown): readonly number[] {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  const detail = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  return (detail as FailureDetail | undefined)?.cells ?? [];
}

/** The result that a failed cell carries in its failure, if `error` is one, and of this cell. */
export function failedCellResult(cellId: string, error: unknown): CellResult | undefined {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== ('CellFailed' satisfies FailureType))
    return undefined;
  const result = cause.details?.[0] as CellResult | undefined;
  return result?.cellId === cellId ? result : undefined;
}
