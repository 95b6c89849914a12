import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { ControlSignal } from './messages.ts';

/** Where activities pass that a pause holds back and a stop takes back from their workers. */
export class Gate {
  #closed: boolean;
  /** Activities that run; those that a stop took back are no longer among them. */
  readonly #running = new Set<CancellationScope>();

  constructor(closed = false) {
    this.#closed = closed;
  }

  /** True if nothing passes and nothing is behind it. */
  get idle(): boolean {
    return this.#closed && this.#running.size === 0;
  }

  obey(order: ControlSignal): void {
    this.#closed = order !== 'resume';
    if (order !== 'stop') return;
    for (const scope of this.#running) {
      this.#running.delete(scope);
      scope.cancel();
    }
  }

  /** Runs `work` as soon as the gate is open, and again if it was taken back. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await condition(() => !this.#closed);
      const scope = new CancellationScope();
      this.#running.add(scope);
      try {
        return await scope.run(work);
      } catch (error) {
        if (this.#running.has(scope) || !isCancellation(error)) throw error;
      } finally {
        this.#running.delete(scope);
      }
    }
  }
}
