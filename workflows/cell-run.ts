import { ApplicationFailure, CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { PlannedStage } from '../compiler/plan.ts';
import { bookkeeping, stageActivities } from './activities.ts';
import { describeFailure, failureOf, stillOutOfMemory } from './failures.ts';
import { Gate } from './gate.ts';
import {
  activityIdOf,
  type CellAttempt,
  type CellInput,
  type CellProgress,
  type CellResult,
  type ControlSignal,
  type FailureDetail,
  isDone,
  type StageFailure,
  type StageOutcome,
} from './messages.ts';
import { RetryCount, retryRuleOf, retryRules } from './retries.ts';
import { answerTo } from './seals.ts';

/** Damage in the inputs of its stages that a cell mends: a disk that tears what is written to it again and again is not worth more work. */
const mostRepairs = retryRules.damagedInput.retries;

/** Ends the stages that wait for one that failed. It is not reported: the failure itself is. */
class NeedFailed extends Error {}

/** How a cell has ended. */
export interface CellEnd {
  readonly result: CellResult;
  /** What to throw where the cell is a workflow of its own, if it was cancelled. */
  readonly cancellation?: unknown;
}

/**
 * One cell of the matrix: runs each stage as soon as the stages it refers to are done. A failed stage fails the cell, but every stage that
 * does not need it still runs, so that its artifacts are there next time.
 */
export class CellRun {
  readonly #input: CellInput;
  readonly #gate: Gate;
  readonly #status = new Map<string, CellProgress['stages'][number]['status']>();
  readonly #outcomes: Record<string, StageOutcome> = {};
  #failure: StageFailure | undefined;
  #repairs = 0;
  #lastRepair = Promise.resolve();
  /** How first attempts of stages ended that were made before; each is taken once. */
  readonly #first: Map<string, StageOutcome | StageFailure>;

  /**
   * @param paused Whether no stage starts before `resume`.
   * @param attempt What was done of the cell already.
   */
  constructor(input: CellInput, paused = false, attempt?: CellAttempt) {
    this.#input = input;
    this.#gate = new Gate(paused);
    this.#first = new Map(Object.entries(attempt?.stages ?? {}));
  }

  obey(order: ControlSignal): void {
    this.#gate.obey(order);
  }

  get progress(): CellProgress {
    const { cell } = this.#input;
    return {
      cellId: cell.id,
      stages: cell.stages.map(({ name }) => {
        const outcome = this.#outcomes[name];
        const how = outcome === undefined ? {} : { reused: outcome.reused, seconds: outcome.seconds };
        const known = this.#status.get(name) ?? 'waiting';
        return { name, status: known === 'running' && this.#gate.idle ? 'waiting' : known, ...how };
      }),
    };
  }

  /** Runs the cell to its end, and gives its result after it was written to the store. */
  async run(): Promise<CellEnd> {
    const { studyId, storeUri, cell } = this.#input;
    const cancellation = await this.#runStages();
    const describe = (): CellResult => ({
      cellId: cell.id,
      status: cancellation !== undefined ? 'cancelled' : this.#failure !== undefined ? 'failed' : 'succeeded',
      stages: this.#outcomes,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    });
    try {
      const record = { storeUri, studyId, result: describe() };
      await CancellationScope.nonCancellable(() => bookkeeping.writeCellResult(record));
    } catch (error) {
      // A store that cannot be written has most likely failed a stage already, which says more.
      this.#failure ??= describeFailure('cell', error);
    }
    return { result: describe(), cancellation };
  }

  /** Gives the cancellation that ended the stages, if one did. */
  async #runStages(): Promise<unknown> {
    const { stages } = this.#input.cell;
    const ended = new Map<string, Promise<void>>();
    const runAfterNeeds = async (stage: PlannedStage): Promise<void> => {
      await Promise.all(stage.needs.map((need) => ended.get(need)));
      try {
        this.#outcomes[stage.name] = await this.#attempt(stage);
        this.#status.set(stage.name, 'done');
      } catch (error) {
        this.#status.set(stage.name, 'failed');
        if (isCancellation(error)) throw error;
        this.#fail(stage, error);
      }
    };
    for (const stage of stages) ended.set(stage.name, runAfterNeeds(stage));
    const ends = await Promise.allSettled(ended.values());
    const errors = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    const unexpected = errors.find((error) => !isCancellation(error) && !(error instanceof NeedFailed));
    if (unexpected !== undefined) throw unexpected;
    return errors.find(isCancellation);
  }

  #fail(stage: PlannedStage, error: unknown): never {
    if (!(error instanceof NeedFailed)) this.#failure ??= describeFailure(stage.name, error);
    throw new NeedFailed();
  }

  /** Tries a stage again after failures that may pass, as `retries.ts` says; damaged inputs are made anew. */
  async #attempt(stage: PlannedStage): Promise<StageOutcome> {
    const failed = new RetryCount(stage.retry.attempts);
    for (let alone = false; ; ) {
      const known = this.#repairs;
      try {
        return await this.#runStage(stage, alone);
      } catch (error) {
        if (isCancellation(error)) throw error;
        const { type, message } = describeFailure(stage.name, error);
        const rule = retryRuleOf(type);
        if (rule === retryRules.damagedInput && this.#repairs > known) {
          // Another stage has met damage meanwhile, most likely the same.
          await this.#lastRepair.catch(() => undefined);
        } else if (rule === retryRules.damagedInput) {
          if (this.#repairs === mostRepairs) throw tornAgain(message);
          this.#repairs++;
          this.#lastRepair = this.#repair(stage);
          await this.#lastRepair;
        } else {
          const waitMs = failed.next(rule);
          if (waitMs === undefined)
            throw rule === retryRules.outOfMemory ? stillOutOfMemory(stage.name, error) : error;
          if (rule === retryRules.outOfMemory) alone = true;
          await sleep(waitMs);
        }
      }
    }
  }

  /** @param alone With nothing else on its worker. */
  async #runStage(stage: PlannedStage, alone: boolean): Promise<StageOutcome> {
    const { studyId, storeUri, baseDirectory, cell } = this.#input;
    const first = this.#first.get(stage.name);
    this.#first.delete(stage.name);
    if (first !== undefined) {
      if (isDone(first)) return first;
      throw failureOf(first);
    }
    return this.#gate.pass(async () => {
      if (this.#outcomes[stage.name] === undefined) this.#status.set(stage.name, 'running');
      const available: Record<string, Readonly<Record<string, ArtifactRef>>> = {};
      for (const need of stage.needs) available[need] = this.#outcomes[need]!.outputs;
      const how = alone ? ({ alone } as const) : {};
      const task = { studyId, cellId: cell.id, storeUri, baseDirectory, stage, available, ...how };
      const activityId = activityIdOf({ stage: stage.name, cellId: cell.id });
      return answerTo(activityId, await stageActivities({ ...stage, ...how }, activityId).runStage(task));
    });
  }

  /**
   * Visits again all that `stage` builds on, its producers' own inputs first: an artifact that was whole when its stage ended is damaged now and is
   * made anew. One that comes out different (on another kind of processor, say) has the finished stages that took it run again too.
   */
  async #repair(stage: PlannedStage): Promise<void> {
    const { stages } = this.#input.cell;
    const wanted = new Set(stage.needs);
    for (const { name, needs } of stages.toReversed()) {
      if (wanted.has(name)) for (const need of needs) wanted.add(need);
    }
    const changed = new Set<string>();
    for (const visited of stages) {
      const before = this.#outcomes[visited.name];
      const concerned = wanted.has(visited.name) || visited.needs.some((need) => changed.has(need));
      if (before === undefined || !concerned || visited === stage) continue;
      try {
        const after = await this.#attempt(visited);
        const same = JSON.stringify(before.outputs) === JSON.stringify(after.outputs);
        if (!same) changed.add(visited.name);
        if (!same || !after.reused) this.#outcomes[visited.name] = after;
      } catch (error) {
        if (isCancellation(error)) throw error;
        this.#fail(visited, error);
      }
    }
  }
}

function tornAgain(message: string): ApplicationFailure {
  const detail: FailureDetail = {
    cure: 'Check the disk of the store, or choose another place with --store. Finished stages are kept: run the pipeline again to go on.',
  };
  const told = `After ${mostRepairs} times that damaged inputs were made anew: ${message}`;
  return ApplicationFailure.nonRetryable(told, 'DamagedArtifactError', detail);
}
