import type { Client } from '@temporalio/client';
import {
  type Answer,
  type CellAttempt,
  placeOfActivity,
  type StageActivity,
  type StageOutcome,
  type StagePlace,
} from '../../workflows/messages.ts';
import { ActivityEvents, type ActivityNews } from './activity-events.ts';
import { decodeFirst, type HistoryEvent, placeOf } from './history.ts';

/** How an attempt of a stage ended; `stopped` is handed back with its checkpoint. */
export type StageEnd = { readonly stage: string } & (
  | { readonly end: 'done'; readonly outcome: StageOutcome }
  | { readonly end: 'failed'; readonly message: string }
  | { readonly end: 'stopped' }
);

/** What one event says of a stage: that it is to run, or how an attempt of it ended. */
export interface StageNews extends StagePlace {
  readonly end: StageEnd | undefined;
}

/** What was made of cells that ran one after another within one activity. */
export interface RowNews {
  readonly attempts: readonly CellAttempt[];
}

/** Finds what is said of stages, and of rows of cells, among the events of one workflow, which it must be given in order. */
export class StageEvents {
  readonly #client: Client;
  readonly #workflowId: string;
  readonly #activities = new ActivityEvents();

  constructor(client: Client, workflowId: string) {
    this.#client = client;
    this.#workflowId = workflowId;
  }

  /** Rows of cells that run. */
  get rows(): number {
    return this.#activities.running('runCells' satisfies StageActivity);
  }

  async read(event: HistoryEvent): Promise<StageNews | RowNews | undefined> {
    const news = this.#activities.read(event);
    if (news === undefined) return undefined;
    if (news.type === ('runCells' satisfies StageActivity)) {
      // Of one that failed its cells tell.
      const attempts = await this.#answer<readonly CellAttempt[]>(news);
      return attempts && { attempts };
    }
    const place = placeOfActivity(news.activityId);
    const { stage } = place;
    if (news.how === 'scheduled') return { ...place, end: undefined };
    if (news.how === 'cancelled') return { ...place, end: { stage, end: 'stopped' } };
    if (news.how === 'failed') return { ...place, end: { stage, end: 'failed', message: news.message! } };
    const outcome = await this.#answer<StageOutcome>(news);
    return outcome && { ...place, end: { stage, end: 'done', outcome } };
  }

  /** What an activity gave; undefined if it is refused, which ends the workflow, which tells why. */
  async #answer<T>({ activityId, how, result }: ActivityNews): Promise<T | undefined> {
    if (how !== 'completed') return undefined;
    const where = placeOf(this.#client, this.#workflowId, { activityId });
    const answer = await decodeFirst<Answer<T>>(this.#client, where, result);
    return answer?.to === activityId ? answer.value : undefined;
  }
}
