import { setTimeout } from 'node:timers/promises';
import { isLaunched, type StatusAnswer, timeStatus } from './epochal.ts';

/** How often is looked whether the study is launched. */
const launchPollMs = 500;

/** Asks for the status of the study in a folder, one time after the other, from when it is launched until it is stopped. */
export class StatusAsker {
  readonly #stop = new AbortController();
  readonly #answers: StatusAnswer[] = [];
  readonly #asking: Promise<void>;

  constructor(folder: string, everyMs: number) {
    this.#asking = this.#ask(folder, everyMs);
    // Whoever stops it is told.
    this.#asking.catch(() => undefined);
  }

  /** The answers that came while the study ran. Throws if one did not come. */
  async stop(): Promise<readonly StatusAnswer[]> {
    this.#stop.abort();
    await this.#asking;
    return this.#answers;
  }

  async #ask(folder: string, everyMs: number): Promise<void> {
    const { signal } = this.#stop;
    const pause = (ms: number) => setTimeout(ms, undefined, { signal }).catch(() => undefined);
    while (!isLaunched(folder) && !signal.aborted) await pause(launchPollMs);
    for (; !signal.aborted; await pause(everyMs)) {
      try {
        const answer = await timeStatus(folder);
        if (!signal.aborted) this.#answers.push(answer);
      } catch (error) {
        // What was asked while the study came to its end may meet a server that goes.
        if (!signal.aborted) throw error;
      }
    }
  }
}
