import { setTimeout } from 'node:timers/promises';
import type { StudyHandle } from '../../runtime/study/client.ts';
import type { ProgressView } from './progress-view.ts';

const lookMs = 1000;
/** The first line of a history is there at once. */
const firstLookMs = 100;
/** The last events are there when the result is, unless the server is going away. */
const lastEventsMs = 5000;

/** Shows what happens to a study, until it has ended or is not shown any more. */
export interface ShownProgress {
  /** Waits until all that has happened is shown. */
  ended(): Promise<void>;
  stop(): Promise<void>;
}

export function showProgress(study: StudyHandle, view: ProgressView): ShownProgress {
  const stopping = new AbortController();
  const { signal } = stopping;
  const watch = study.watch((event) => {
    if (!signal.aborted) view.event(event);
  });
  const followed = watch.follow(signal).catch((error: unknown) => {
    // The study goes on without an audience.
    if (!signal.aborted)
      view.line(`Its progress cannot be shown: ${error instanceof Error ? error.message : error}`);
  });
  const look = async (): Promise<void> => {
    while (!signal.aborted) {
      const study = await watch.look(signal);
      if (study !== undefined && !signal.aborted) view.update(study);
      await setTimeout(study === undefined ? firstLookMs : lookMs, undefined, { signal }).catch(
        () => undefined,
      );
    }
  };
  const looked = look();
  return {
    async ended() {
      await Promise.race([followed, setTimeout(lastEventsMs, undefined, { ref: false })]);
    },
    async stop() {
      stopping.abort();
      // No request may be left when the connection is closed.
      await Promise.all([followed, looked]);
    },
  };
}
