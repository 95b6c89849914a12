import type { Client } from '@temporalio/client';
import type { SerializationContext } from '@temporalio/common';
import type { Answer, CollectTask, StageOutcome, StageTask } from '../../workflows/messages.ts';
import { decodeFirst, type HistoryEvent, placeOf } from './history.ts';

/** How an attempt of a stage ended; `stopped` is handed back with its checkpoint. */
export type StageEnd = { readonly stage: string } & (
  | { readonly end: 'done'; readonly outcome: StageOutcome }
  | { readonly end: 'failed'; readonly message: string }
  | { readonly end: 'stopped' }
);

/** Finds the ends of stages among the events of one workflow, which it must be given in order. */
export class StageEvents {
  readonly #client: Client;
  readonly #workflowId: string;
  /** Running stages, and where their messages belong, by the event that scheduled each. */
  readonly #running = new Map<number, { readonly stage: string; readonly place: SerializationContext }>();

  constructor(client: Client, workflowId: string) {
    this.#client = client;
    this.#workflowId = workflowId;
  }

  async read(event: HistoryEvent): Promise<StageEnd | undefined> {
    const client = this.#client;
    const { activityTaskScheduledEventAttributes: scheduled } = event;
    if (scheduled) {
      const place = placeOf(client, this.#workflowId, scheduled.activityId ?? '');
      const stage = stageOf(await decodeFirst<StageTask | CollectTask>(client, place, scheduled.input));
      if (stage !== undefined) this.#running.set(Number(event.eventId), { stage, place });
      return undefined;
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    const ended = completed ?? failed ?? event.activityTaskCanceledEventAttributes;
    const id = Number(ended?.scheduledEventId);
    const known = this.#running.get(id);
    if (!ended || known === undefined) return undefined;
    this.#running.delete(id);
    const { stage, place } = known;
    if (completed) {
      const answer = await decodeFirst<Answer<StageOutcome>>(client, place, completed.result);
      // What is refused ends the workflow, which tells why.
      return answer?.to === stage ? { stage, end: 'done', outcome: answer.value } : undefined;
    }
    if (!failed) return { stage, end: 'stopped' };
    return { stage, end: 'failed', message: failed.failure?.message || 'no reason was given' };
  }
}

function stageOf(task: StageTask | CollectTask | undefined): string | undefined {
  if (task === undefined) return undefined;
  return 'stage' in task ? task.stage.name : 'collect' in task ? task.collect.name : undefined;
}
