/**
 * What goes between the clients, the workflows and the activities: plain data, small. Tensors never pass here, only references.
 */

import type { ArtifactRef } from '../artifacts/reference.ts';
import { checkedName } from '../artifacts/store/names.ts';
import type { StepRecord } from '../artifacts/store/step.ts';
import type { PlannedCell, PlannedCollect, PlannedStage } from '../compiler/plan.ts';

/**
 * Version of the workflow code. Raise it whenever a history of before cannot be replayed any more: an open study of another version is left to workers
 * of that, and where there is none it begins anew when it is launched, with all its finished stages.
 */
export const workflowVersion = 3;

/**
 * Argument of the `study` workflow. The plan itself lies in the store, since a plan of 10,000 cells exceeds a payload. Where a history is cut, newer code
 * may get what older code has carried.
 */
export interface StudyInput {
  readonly studyId: string;
  readonly storeUri: string;
  /** Folder of the pipeline file, against which dataset locations are resolved. */
  readonly baseDirectory: string;
  readonly cells: number;
  /** Cells at the same time. */
  readonly maxParallel: number;
  readonly failFast: boolean;
  readonly minSuccess: number;
  /** Events after which the history is cut by continue-as-new; default: when the server suggests it. */
  readonly historyLimit?: number;
  /** Set by continue-as-new. */
  readonly carried?: StudyTally & {
    readonly next: number;
    readonly paused: boolean;
    /** What the cell that ended last took, in seconds of its stages. */
    readonly cellSeconds?: number;
  };
}

/** What a study counts while its cells go by. */
export interface StudyTally {
  readonly counts: CellCounts;
  readonly stagesRun: number;
  readonly stagesReused: number;
  /** The first failures, at most 20. */
  readonly failures: readonly CellFailure[];
}

/** A cell to run, inside the `study` workflow or in a `cell` workflow, whose argument it is. */
export interface CellInput {
  readonly studyId: string;
  readonly storeUri: string;
  readonly baseDirectory: string;
  readonly cell: PlannedCell;
}

/** Argument of the `runStage` activity. */
export interface StageTask {
  readonly studyId: string;
  readonly cellId: string;
  readonly storeUri: string;
  readonly baseDirectory: string;
  readonly stage: PlannedStage;
  /** Outputs of the stages that it needs: stage -> output -> reference. */
  readonly available: Readonly<Record<string, Readonly<Record<string, ArtifactRef>>>>;
  /** Set if nothing else is to compute on its worker meanwhile: it ran out of memory beside others. */
  readonly alone?: true;
}

/** Result of the `runStage` activity. */
export interface StageOutcome extends Pick<StepRecord, 'key' | 'outputs' | 'notes' | 'warnings'> {
  /** True if an equal step was found in the store and nothing was computed. */
  readonly reused: boolean;
  /** Of the attempt that ended it, by the clock. */
  readonly seconds: number;
  /** Set if that attempt found a checkpoint of an earlier one, whose time is not in `seconds`. */
  readonly continued?: true;
}

/** Argument of the `runCells` activity. */
export interface CellsTask extends CellsRequest {
  readonly baseDirectory: string;
}

/** What `runCells` has made of a cell. */
export interface CellAttempt {
  readonly cellId: string;
  /** How the first attempts of its stages ended, of those that did by their own work, in that order. */
  readonly stages: Readonly<Record<string, StageOutcome | StageFailure>>;
  /** True if all stages are done and the record of the cell was written: it has succeeded. */
  readonly recorded: boolean;
}

/** Tells a stage that is done from one that has failed. */
export function isDone(stage: StageOutcome | StageFailure): stage is StageOutcome {
  return 'outputs' in stage;
}

/** Argument of the `collect` activity. */
export interface CollectTask {
  readonly studyId: string;
  readonly storeUri: string;
  readonly collect: PlannedCollect;
  /** Cells that succeeded, each of which has left a record. */
  readonly succeeded: number;
}

/** Heartbeat details of `runStage`, of `collect`, and of `runCells`. */
export interface StageHeartbeat {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly message?: string;
  /** Milliseconds since this attempt, or the part of it that counts in this unit, began. */
  readonly elapsedMs: number;
  /** `done` when this attempt began (work kept from earlier attempts). */
  readonly from: number;
  /** Of `runCells`: how far the cell is that it is at. */
  readonly cell?: CellProgress;
}

export const cellStatuses = ['succeeded', 'failed', 'cancelled'] as const;
export type CellStatus = (typeof cellStatuses)[number];

/** A stage that failed for good, told to the user. */
export interface StageFailure {
  readonly stage: string;
  readonly message: string;
  /** `InputError` failures are the user's to mend and are not retried. */
  readonly type: string;
  readonly cure?: string;
}

/** A failure and the cell it happened in; `collect` for a stage over all cells, `study` for the study's own records. */
export type CellFailure = StageFailure & { readonly cellId: string };

/** What became of a cell; also written to `studies/<id>/cells/<cell>.json` in the store, where the report reads it. */
export interface CellResult {
  readonly cellId: string;
  readonly status: CellStatus;
  readonly stages: Readonly<Record<string, StageOutcome>>;
  readonly failure?: StageFailure;
}

export interface CellCounts {
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** Result of the `study` workflow; also `studies/<id>/result.json` in the store. */
export interface StudyResult {
  readonly studyId: string;
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly counts: CellCounts;
  readonly stagesRun: number;
  readonly stagesReused: number;
  readonly collect: Readonly<Record<string, StageOutcome>>;
  /** The first failures, at most 20. */
  readonly failures: readonly CellFailure[];
}

/** A cell that runs, or the first of several that run one after another. */
export interface RunningPlace {
  readonly cellId: string;
  /** Of the workflow that runs its stages. */
  readonly workflowId: string;
  /** How many cells run one after another; which of them runs now, its worker tells. */
  readonly inRow?: number;
}

/** Answer of the `progress` query of a study. */
export interface StudyProgress {
  readonly studyId: string;
  readonly cells: number;
  readonly counts: CellCounts;
  readonly running: readonly RunningPlace[];
  readonly paused: boolean;
  readonly phase: 'cells' | 'collect' | 'done';
}

/** Answer of the `cellProgress` query of a cell. */
export interface CellProgress {
  readonly cellId: string;
  readonly stages: readonly {
    readonly name: string;
    readonly status: 'waiting' | 'running' | 'done' | 'failed';
    readonly reused?: boolean;
    readonly seconds?: number;
  }[];
}

/** Task queues: workflows and their bookkeeping, and stages by the queue that they name, else by what they need. */
export type TaskQueue = 'epochal' | `epochal-${string}`;

/** Name of the queue of a stage: its own, or `gpu` or `cpu`. */
export function queueOf({ gpu, queue }: PlannedStage['resources']): string {
  return queue ?? (gpu > 0 ? 'gpu' : 'cpu');
}

const queuePrefix = 'epochal-';

/** The task queue of stages with this name. */
export function taskQueueOf(name: string): TaskQueue {
  return `${queuePrefix}${name}`;
}

/** What {@link taskQueueOf} was given. */
export function queueNameOf(taskQueue: string): string {
  return taskQueue.slice(queuePrefix.length);
}

/**
 * Signals that a study and a cell take: a `pause` lets running stages end, a `stop` takes them back from their workers. Each has its own name as its
 * only argument, since a signal without one would bear no seal.
 */
export type ControlSignal = 'pause' | 'resume' | 'stop';

/**
 * Type of the `ApplicationFailure` with which a `study` or a `cell` that did not succeed ends; its only detail is the
 * {@link StudyResult} or the {@link CellResult}. A cancelled one ends as cancelled.
 */
export type FailureType = 'StudyFailed' | 'CellFailed';

/** Words of a failure bear no seal: they are shown, but no terminal obeys them, and no record grows by them. */
export const longestMessage = 10_000;

/** Detail of the `ApplicationFailure` with which an activity fails. */
export interface FailureDetail {
  readonly cure?: string;
  /** Of a `collect` that met damage: the cells of the plan, by index, that have to run again. */
  readonly cells?: readonly number[];
}

/** What is left in the history of a workflow of a cell whose record was written. */
export type CellEnding = Pick<CellResult, 'cellId' | 'status'>;

/** Whose plan to read. */
export interface PlanRequest {
  readonly storeUri: string;
  readonly studyId: string;
}

/** Which cells of a plan to read: `count` of them, from the one with index `from`. */
export interface CellsRequest extends PlanRequest {
  readonly from: number;
  readonly count: number;
}

/** What an activity gives, with what it is the answer to: a sealed answer to something else must not pass for this one. */
export interface Answer<T> {
  /** The stage, by the id of its activity; the first cell, or the record. */
  readonly to: string;
  readonly value: T;
}

/** A stage of a cell, or one over all cells. */
export interface StagePlace {
  readonly stage: string;
  readonly cellId?: string;
}

/** Id of the activity that runs a stage, by which its cell is found where several cells share a workflow. */
export function activityIdOf({ stage, cellId }: StagePlace): string {
  return cellId === undefined ? stage : `${stage} of ${cellId}`;
}

/** Id of the activity that runs cells one after another. */
export function rowIdOf({ from, count }: Pick<CellsRequest, 'from' | 'count'>): string {
  return `cells ${from} to ${from + count - 1}`;
}

/** What {@link activityIdOf} was given. */
export function placeOfActivity(activityId: string): StagePlace {
  const at = activityId.indexOf(' of ');
  return at < 0
    ? { stage: activityId }
    : { stage: activityId.slice(0, at), cellId: activityId.slice(at + 4) };
}

/** Those of them that compute, on the queues of stages. */
export type StageActivity = 'runStage' | 'runCells' | 'collect';

/** The activities, as the workflows see them. */
export interface Activities {
  runStage(task: StageTask): Promise<Answer<StageOutcome>>;
  runCells(task: CellsTask): Promise<Answer<readonly CellAttempt[]>>;
  collect(task: CollectTask): Promise<Answer<StageOutcome>>;
  loadCells(request: CellsRequest): Promise<Answer<readonly PlannedCell[]>>;
  loadCollects(request: PlanRequest): Promise<Answer<readonly PlannedCollect[]>>;
  writeCellResult(record: {
    storeUri: string;
    studyId: string;
    result: CellResult;
  }): Promise<Answer<CellEnding>>;
  writeStudyResult(record: { storeUri: string; result: StudyResult }): Promise<Answer<null>>;
}

/** Id of the workflow of a study, or of one of its cells. Throws `RefusedError` if they cannot be names of any. */
export function workflowIdOf(studyId: string, cellId?: string): string {
  const study = `epochal-${checkedName('study id', studyId)}`;
  return cellId === undefined ? study : `${study}/${checkedName('cell id', cellId)}`;
}

export const notSealed = "A message was refused: it is not sealed with this home's key.";
export const sealCure =
  'All machines of a study need the same key: copy the file `key` from one home into the others, or name it with --key-file.';

/** What workflows and activities are given in the place of a payload that is not sealed with this home's key. */
export const refusal = { refused: notSealed };

/** True for a {@link refusal}. */
export function isRefusal(value: unknown): boolean {
  return (value as Partial<typeof refusal> | null | undefined)?.refused === notSealed;
}

/** A span of a trace that is told to the worker, which exports it: the sandbox and compute processes have no OpenTelemetry of their own. */
export interface ToldSpan {
  readonly name: string;
  /** Of the trace: 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits, as the next one. */
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What went wrong. */
  readonly error?: string;
}

/** The sink of the workflows' interceptors. */
export type SpanSink = {
  readonly traces: { span(span: ToldSpan): void };
};
