import type { HistoryEvent } from './history.ts';

/** What one event says of an activity: that it is to run, or how it ended. */
export interface ActivityNews {
  readonly activityId: string;
  /** Name of its function. */
  readonly type: string;
  /** `cancelled` without an event of its own that says more. */
  readonly how: 'scheduled' | 'completed' | 'failed' | 'cancelled';
  readonly result?: NonNullable<HistoryEvent['activityTaskCompletedEventAttributes']>['result'];
  /** Of one that failed. */
  readonly message?: string;
}

/** Finds what is said of activities among the events of one workflow, which it must be given in order. */
export class ActivityEvents {
  /** Those that run, by the event that scheduled each. */
  readonly #running = new Map<number, Pick<ActivityNews, 'activityId' | 'type'>>();

  /** How many of a type run. */
  running(type: string): number {
    return [...this.#running.values()].filter((activity) => activity.type === type).length;
  }

  read(event: HistoryEvent): ActivityNews | undefined {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const activity = { activityId: scheduled.activityId ?? '', type: scheduled.activityType?.name ?? '' };
      this.#running.set(Number(event.eventId), activity);
      return { ...activity, how: 'scheduled' };
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    const ended = completed ?? failed ?? event.activityTaskCanceledEventAttributes;
    const id = Number(ended?.scheduledEventId);
    const activity = this.#running.get(id);
    if (!ended || activity === undefined) return undefined;
    this.#running.delete(id);
    if (completed) return { ...activity, how: 'completed', result: completed.result };
    if (!failed) return { ...activity, how: 'cancelled' };
    return { ...activity, how: 'failed', message: failed.failure?.message || 'no reason was given' };
  }
}
