import { setTimeout } from 'node:timers/promises';
import {
  type Client,
  ServiceError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  defaultPayloadConverter,
} from '@temporalio/common';
import { EnvironmentError, RefusedError } from '../artifacts/errors.ts';
import { studyRecordName } from '../artifacts/names.ts';
import type { Store } from '../artifacts/store.ts';
import {
  type CellProgress,
  type ControlSignal,
  type FailureType,
  type StageHeartbeat,
  type StudyProgress,
  type StudyResult,
  sealCure,
  workflowIdOf,
} from '../workflows/messages.ts';

/** Running cells that `cells` looks at: more than fit on a screen. */
const cellsShown = 32;
const queryDeadlineMs = 10_000;
const defaultOutageLimitMs = 300_000;

/** A running stage. */
export interface LiveStage extends StageHeartbeat {
  /** 1 for the first; more after crashes. */
  readonly attempt: number;
  /** Why the attempt before this one ended. */
  readonly lastFailure?: string;
}

/** A running cell. */
export interface LiveCell extends CellProgress {
  readonly live: readonly LiveStage[];
  /** Stages that no worker has taken: all are busy, or none serves their queue (`epochal-gpu` for stages that ask for a GPU). */
  readonly queued: number;
}

/** A launched study. */
export interface StudyHandle {
  readonly studyId: string;
  readonly workflowId: string;
  /** True if the study was open already. */
  readonly attached: boolean;
  progress(): Promise<StudyProgress>;
  /** The cells that run now, with what their stages last said; at most 32. */
  cells(): Promise<LiveCell[]>;
  /**
   * Waits for the end, also of a failed or cancelled study. Outages of the server of up to `outageLimitMs` (default 5 minutes) are waited
   * out. Throws {@link EnvironmentError} after that, or if the study was terminated or lost. Once `signal` aborts, a lost connection ends the
   * waiting at once.
   */
  result(options?: { readonly outageLimitMs?: number; readonly signal?: AbortSignal }): Promise<StudyResult>;
  /** Lets running stages end and starts no other. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Asks running stages to stop; `result` tells when they have. */
  cancel(): Promise<void>;
}

interface HandleOptions {
  readonly client: Client;
  readonly store: Store;
  readonly studyId: string;
  readonly attached: boolean;
}

export function createStudyHandle({ client, store, studyId, attached }: HandleOptions): StudyHandle {
  const workflowId = workflowIdOf(studyId);
  const workflow = client.workflow.getHandle(workflowId);
  const signal = (name: ControlSignal): Promise<void> => workflow.signal(name, name);
  const progress = (): Promise<StudyProgress> =>
    client.withDeadline(Date.now() + queryDeadlineMs, () => workflow.query<StudyProgress>('progress'));
  return {
    studyId,
    workflowId,
    attached,
    progress,
    async cells() {
      const { running } = await progress();
      const cells = await Promise.all(
        running
          .slice(0, cellsShown)
          .map(({ cellId }) =>
            describeCell(client, client.workflow.getHandle(workflowIdOf(studyId, cellId))),
          ),
      );
      return cells.filter((cell) => cell !== undefined);
    },
    result: ({ outageLimitMs = defaultOutageLimitMs, signal } = {}) =>
      waitForResult(client, workflow, store, studyId, outageLimitMs, signal),
    pause: () => signal('pause'),
    resume: () => signal('resume'),
    async cancel() {
      await workflow.cancel();
    },
  };
}

/** Undefined if the cell ended in this moment or no worker answers for it. */
async function describeCell(client: Client, cell: WorkflowHandle): Promise<LiveCell | undefined> {
  try {
    return await client.withDeadline(Date.now() + queryDeadlineMs, async () => {
      const [known, description] = await Promise.all([
        cell.query<CellProgress>('cellProgress'),
        cell.describe(),
      ]);
      return { ...known, live: await liveStages(client, description), queued: countQueued(description) };
    });
  } catch {
    return undefined;
  }
}

async function liveStages(
  { options }: Client,
  { workflowId, raw }: WorkflowExecutionDescription,
): Promise<LiveStage[]> {
  const { namespace, loadedDataConverter } = options;
  const stages: LiveStage[] = [];
  for (const { activityId, heartbeatDetails, attempt, lastFailure } of raw.pendingActivities ?? []) {
    let payloads = heartbeatDetails?.payloads ?? [];
    const place = { namespace, workflowId, activityId: activityId ?? '', isLocal: false };
    try {
      for (const codec of loadedDataConverter.payloadCodecs)
        payloads = await codec.decode(payloads, { type: 'activity', ...place });
    } catch (error) {
      // The next one is the stage's own again.
      if (error instanceof RefusedError) continue;
      throw error;
    }
    if (payloads.length === 0) continue;
    const failure = lastFailure?.message;
    stages.push({
      ...defaultPayloadConverter.fromPayload<StageHeartbeat>(payloads[0]!),
      attempt: attempt ?? 1,
      ...(failure === undefined || failure === null ? {} : { lastFailure: failure }),
    });
  }
  return stages;
}

function countQueued({ raw }: WorkflowExecutionDescription): number {
  return (raw.pendingActivities ?? []).filter(({ lastStartedTime }) => !lastStartedTime).length;
}

async function waitForResult(
  client: Client,
  workflow: WorkflowHandle,
  store: Store,
  studyId: string,
  outageLimitMs: number,
  signal: AbortSignal | undefined,
): Promise<StudyResult> {
  for (;;) {
    try {
      return (await workflow.result()) as StudyResult;
    } catch (error) {
      if (error instanceof WorkflowFailedError) return await resultOfFailure(error.cause, store, studyId);
      if (error instanceof WorkflowNotFoundError) {
        throw new EnvironmentError(
          `The server no longer knows the study ${studyId}: its database is another one.`,
          'Run the pipeline again. Finished stages are in the store and are reused.',
        );
      }
      if (!(error instanceof ServiceError)) throw error;
      await waitForServer(client, outageLimitMs, error, signal);
    }
  }
}

async function resultOfFailure(
  cause: Error | undefined,
  store: Store,
  studyId: string,
): Promise<StudyResult> {
  if (cause instanceof ApplicationFailure && cause.type === ('StudyFailed' satisfies FailureType)) {
    const result = cause.details?.[0] as StudyResult | undefined;
    if (result?.studyId === studyId) return result;
  }
  if (cause instanceof CancelledFailure) {
    const text = await store.readText(studyRecordName(studyId, 'result'));
    if (text !== undefined) return JSON.parse(text) as StudyResult;
  }
  const reason = cause instanceof ActivityFailure ? cause.cause : cause;
  throw new EnvironmentError(
    `The study ${studyId} was broken off: ${reason?.message ?? 'no reason was given'}.`,
    cause instanceof ApplicationFailure && cause.type === 'RefusedError'
      ? sealCure
      : 'Mend the cause, then run the pipeline again. Finished stages are in the store and are reused.',
  );
}

/** Returns as soon as the server answers again. */
async function waitForServer(
  client: Client,
  limitMs: number,
  error: ServiceError,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await client.withDeadline(Date.now() + 2000, () => client.workflowService.getSystemInfo({}));
      return;
    } catch {
      if (Date.now() > deadline) {
        throw new EnvironmentError(
          `The Temporal server has not answered for ${Math.round(limitMs / 1000)} s (${error.cause?.message ?? error.message}).`,
          'The study is not lost: start the server again, then run the pipeline again to go on.',
        );
      }
      await setTimeout(500);
    }
  }
}
