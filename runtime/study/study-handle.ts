import { setTimeout } from 'node:timers/promises';
import {
  type Client,
  ServiceError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { studyRecordName } from '../../artifacts/store/names.ts';
import type { Store } from '../../artifacts/store/store.ts';
import {
  type CellProgress,
  type ControlSignal,
  type FailureType,
  type StudyProgress,
  type StudyResult,
  sealCure,
  workflowIdOf,
} from '../../workflows/messages.ts';
import { endAtOnce } from './end-at-once.ts';
import { abortable } from './history.ts';
import { type LiveCell, type LookedAt, lookAtStages } from './live-stages.ts';
import { type StudyVersion, versionOfStudy } from './study-version.ts';
import { type StudyEvent, StudyWatch } from './study-watch.ts';

/** Running cells that `cells` looks at: more than fit on a screen. */
const cellsShown = 32;
const queryDeadlineMs = 10_000;
/** A stage has five seconds to stop. Without a worker that answers none is running, and the signal waits for the next one. */
const stopLimitMs = 15_000;
const defaultOutageLimitMs = 300_000;

/** A launched study. */
export interface StudyHandle {
  readonly studyId: string;
  readonly workflowId: string;
  /** True if the study was open already. */
  readonly attached: boolean;
  /** True if one that was open was ended and begun anew, since another version of the program had begun it. */
  readonly renewed: boolean;
  progress(): Promise<StudyProgress>;
  /** The version of the code that it goes on with, if only that will do. */
  version(): Promise<StudyVersion | undefined>;
  /**
   * The cells that run now (`running`, if that was asked before), with what their stages last said: those of the first `most`, at most 32, that
   * answer within `limitMs`.
   */
  cells(options?: {
    readonly running?: StudyProgress['running'];
    readonly most?: number;
    readonly limitMs?: number;
  }): Promise<LiveCell[]>;
  /** Tells what happens from now on; for a study that was launched for this handle, from its beginning. */
  watch(tell: (event: StudyEvent) => void): StudyWatch;
  /**
   * Waits for the end, also of a failed or cancelled study. Outages of the server of up to `outageLimitMs` (default 5 minutes) are waited
   * out. Throws {@link EnvironmentError} after that, or if the study was terminated or lost. Once `signal` aborts, it rejects: nobody is
   * waiting.
   */
  result(options?: { readonly outageLimitMs?: number; readonly signal?: AbortSignal }): Promise<StudyResult>;
  /** Lets running stages end and starts no other. */
  pause(): Promise<void>;
  /** Starts no stage, hands running ones back with their checkpoints, and waits until they are. */
  stop(): Promise<void>;
  resume(): Promise<void>;
  /** Asks running stages to stop; `result` tells when they have. */
  cancel(): Promise<void>;
  /** Ends it, and its cells, without a word to them: where no worker can go on with it, and none has a stage of it. */
  endAtOnce(reason: string): Promise<void>;
}

interface HandleOptions {
  readonly client: Client;
  readonly store: Store;
  readonly studyId: string;
  readonly attached: boolean;
  readonly renewed: boolean;
  /** True if it was launched for this handle, so that everything that happens to it is news. */
  readonly fresh: boolean;
}

export function createStudyHandle({
  client,
  store,
  studyId,
  attached,
  renewed,
  fresh,
}: HandleOptions): StudyHandle {
  const workflowId = workflowIdOf(studyId);
  const workflow = client.workflow.getHandle(workflowId);
  const signal = (name: ControlSignal): Promise<void> => workflow.signal(name, name);
  const progress = (): Promise<StudyProgress> =>
    client.withDeadline(Date.now() + queryDeadlineMs, () => workflow.query<StudyProgress>('progress'));
  return {
    studyId,
    workflowId,
    attached,
    renewed,
    progress,
    version: () => versionOfStudy(client, studyId),
    async cells({ running, most = cellsShown, limitMs = queryDeadlineMs } = {}) {
      const cells = (running ?? (await progress()).running).slice(0, Math.min(most, cellsShown));
      const looks = new Map<string, Promise<LookedAt>>();
      const look = (workflow: WorkflowHandle): Promise<LookedAt> => {
        const looked = looks.get(workflow.workflowId) ?? lookAtStages(client, workflow);
        looks.set(workflow.workflowId, looked);
        return looked;
      };
      const inTime = <T>(asked: Promise<T>): Promise<T | undefined> =>
        Promise.race([asked, setTimeout(limitMs, undefined, { ref: false })]);
      const known = cells.filter(({ inRow }) => inRow === undefined);
      const described = await Promise.all(known.map((cell) => inTime(describeCell(client, cell, look))));
      const looked = known.length < cells.length ? await inTime(look(workflow)) : undefined;
      return [...described.filter((cell) => cell !== undefined), ...(looked?.inRows() ?? [])];
    },
    watch: (tell) => new StudyWatch({ client, workflowId, fresh, tell }),
    result: ({ outageLimitMs = defaultOutageLimitMs, signal } = {}) =>
      waitForResult(client, workflow, store, studyId, outageLimitMs, signal),
    pause: () => signal('pause'),
    resume: () => signal('resume'),
    async stop() {
      await signal('stop');
      // Where no worker answers, none has a stage.
      await waitUntilIdle(client, studyId, progress).catch(() => undefined);
    },
    async cancel() {
      await workflow.cancel();
    },
    endAtOnce: (reason) => endAtOnce(client, studyId, reason),
  };
}

/** Undefined if the cell ended in this moment or no worker answers for it. */
async function describeCell(
  client: Client,
  { cellId, workflowId }: StudyProgress['running'][number],
  look: (workflow: WorkflowHandle) => Promise<LookedAt>,
): Promise<LiveCell | undefined> {
  try {
    const workflow = client.workflow.getHandle(workflowId);
    const known = client.withDeadline(Date.now() + queryDeadlineMs, () =>
      workflow.query<CellProgress | null, [string]>('cellProgress', cellId),
    );
    const [progress, stages] = await Promise.all([known, look(workflow)]);
    return progress === null ? undefined : { ...progress, ...stages.of(cellId) };
  } catch {
    return undefined;
  }
}

/** Waits until no stage is with a worker, as long as stages take to stop. */
async function waitUntilIdle(
  client: Client,
  studyId: string,
  progress: () => Promise<StudyProgress>,
): Promise<void> {
  const deadline = Date.now() + stopLimitMs;
  const isBusy = async (workflowId: string): Promise<boolean> => {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return (raw.pendingActivities ?? []).length > 0;
  };
  do {
    // The answer comes after the signal was handled.
    const { running } = await progress();
    const ids = new Set([workflowIdOf(studyId), ...running.map(({ workflowId }) => workflowId)]);
    if (!(await Promise.all([...ids].map(isBusy))).includes(true)) return;
    await setTimeout(100);
  } while (Date.now() < deadline);
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
      const result = () => workflow.result() as Promise<StudyResult>;
      return await (signal === undefined ? result() : abortable(client, signal, result));
    } catch (error) {
      signal?.throwIfAborted();
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
