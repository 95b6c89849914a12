import type { Client } from '@temporalio/client';
import type { Answer, CellAttempt, StageActivity } from '../../workflows/messages.ts';
import { decodeFirst, type HistoryEvent, placeOf } from './history.ts';

/** Whether an event schedules cells that run one after another. */
export function isRow({ activityTaskScheduledEventAttributes: scheduled }: HistoryEvent): boolean {
  return scheduled?.activityType?.name === ('runCells' satisfies StageActivity);
}

/** Finds what is said of rows of cells among the events of a study, which it must be given in order. */
export class RowEvents {
  readonly #client: Client;
  readonly #workflowId: string;
  /** The activities of running rows, by the event that scheduled each. */
  readonly #running = new Map<number, string>();

  constructor(client: Client, workflowId: string) {
    this.#client = client;
    this.#workflowId = workflowId;
  }

  /** Rows that run. */
  get running(): number {
    return this.#running.size;
  }

  /** What was done of the cells of a row that has ended; undefined of any other event. */
  async read(event: HistoryEvent): Promise<readonly CellAttempt[] | undefined> {
    if (isRow(event)) {
      const { activityId } = event.activityTaskScheduledEventAttributes!;
      this.#running.set(Number(event.eventId), activityId ?? '');
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const ended =
      completed ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    const id = Number(ended?.scheduledEventId);
    const activityId = this.#running.get(id);
    this.#running.delete(id);
    if (activityId === undefined || !completed) return undefined;
    const where = placeOf(this.#client, this.#workflowId, { activityId });
    const answer = await decodeFirst<Answer<readonly CellAttempt[]>>(this.#client, where, completed.result);
    // What is refused ends the workflow, which tells why.
    return answer?.to === activityId ? answer.value : undefined;
  }
}
