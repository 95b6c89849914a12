import type { Client } from '@temporalio/client';
import {
  type Answer,
  placeOfActivity,
  type StageOutcome,
  type StagePlace,
} from '../../workflows/messages.ts';
import { decodeFirst, type HistoryEvent, placeOf } from './history.ts';
import { isRow } from './row-events.ts';

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

/** Finds what is said of stages among the events of one workflow, which it must be given in order. */
export class StageEvents {
  readonly #client: Client;
  readonly #workflowId: string;
  /** The activities of running stages, by the event that scheduled each. */
  readonly #running = new Map<number, string>();

  constructor(client: Client, workflowId: string) {
    this.#client = client;
    this.#workflowId = workflowId;
  }

  async read(event: HistoryEvent): Promise<StageNews | undefined> {
    const { activityTaskScheduledEventAttributes: scheduled } = event;
    if (scheduled) {
      if (isRow(event)) return undefined;
      const activityId = scheduled.activityId ?? '';
      this.#running.set(Number(event.eventId), activityId);
      return { ...placeOfActivity(activityId), end: undefined };
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    const ended = completed ?? failed ?? event.activityTaskCanceledEventAttributes;
    const id = Number(ended?.scheduledEventId);
    const activityId = this.#running.get(id);
    if (!ended || activityId === undefined) return undefined;
    this.#running.delete(id);
    const place = placeOfActivity(activityId);
    const { stage } = place;
    if (completed) {
      const where = placeOf(this.#client, this.#workflowId, { activityId });
      const answer = await decodeFirst<Answer<StageOutcome>>(this.#client, where, completed.result);
      // What is refused ends the workflow, which tells why.
      if (answer?.to !== activityId) return undefined;
      return { ...place, end: { stage, end: 'done', outcome: answer.value } };
    }
    if (!failed) return { ...place, end: { stage, end: 'stopped' } };
    return {
      ...place,
      end: { stage, end: 'failed', message: failed.failure?.message || 'no reason was given' },
    };
  }
}
