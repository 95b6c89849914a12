import { availableParallelism, totalmem } from 'node:os';
import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
} from '@temporalio/worker';
import type { HoldOptions, ThreadUse } from '../../activities/index.ts';

/** Memory of a compute process with a network and a Hessian basis of ordinary size, and of its share of the rest. */
const bytesEach = 2e9;
const fewestCells = 4;

/** Stages of one thread that this machine computes at the same time: one for each core, as far as its memory, or that of the container, goes. */
export function defaultSlots(): number {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return slotsFor(availableParallelism(), Math.min(totalmem(), limit));
}

/** The same of a machine with these cores and bytes of memory. */
export function slotsFor(cores: number, memory: number): number {
  return Math.max(1, Math.min(cores, Math.floor(memory / bytesEach)));
}

/** Cells at the same time that keep these slots busy while some wait for the server. */
export function cellsFor(slots: number): number {
  return Math.max(fewestCells, 2 * slots);
}

/** Cells at the same time on workers elsewhere, of which nothing is known: too many only wait in their queue. */
export const cellsElsewhere = 32;

class AbortError extends Error {
  override readonly name = 'AbortError';
}

/**
 * Slots of one thread each, for each queue of a worker. A stage of several threads takes one of them like any other, but no further stage is taken
 * before so many threads are free: it neither waits for all of them at once, and so for ever, nor is much else put beside it.
 */
export class ThreadSlots implements ThreadUse {
  /** Threads that stages may have. */
  readonly size: number;
  /** Threads beyond the first of the stages that compute. */
  #more = 0;
  #computing = 0;
  /** Stages that are alone, or wait until they are: no other stage is taken, and those that were begin after them. */
  #alone = 0;
  #changed = Promise.withResolvers<void>();
  #resting = false;
  readonly #queues: QueueSlots[] = [];

  constructor(size: number) {
    this.size = size;
  }

  /** When a stage was taken last, or has ended, on the clock of `performance`; -Infinity before the first. */
  get usedAt(): number {
    return Math.max(-Infinity, ...this.#queues.map(({ usedAt }) => usedAt));
  }

  /** Threads that stages have. */
  get inUse(): number {
    return this.#queues.reduce((sum, { used }) => sum + used, this.#more);
  }

  /** Those of another queue. */
  queue(): CustomSlotSupplier<ActivitySlotInfo> {
    const slots = new QueueSlots(() =>
      this.#alone > 0 || this.#resting ? -Infinity : this.size - this.#more,
    );
    this.#queues.push(slots);
    return slots;
  }

  rest(isOver: () => Promise<boolean>): void {
    if (this.#resting) return;
    this.#resting = true;
    const timer = setInterval(async () => {
      if (!(await isOver())) return;
      clearInterval(timer);
      this.#resting = false;
      for (const queue of this.#queues) queue.wake();
    }, restMs).unref();
  }

  async hold<T>(threads: number, work: () => Promise<T>, how: HoldOptions = {}): Promise<T> {
    const { alone = false, signal, onWait } = how;
    const mustWait = (): boolean => (alone ? this.#computing : this.#alone) > 0;
    if (alone) this.#alone++;
    try {
      if (mustWait())
        onWait?.(alone ? 'waits until it is alone on its worker' : 'waits for a stage that must be alone');
      while (mustWait()) await this.#change(signal);
      this.#computing++;
      this.#more += threads - 1;
      try {
        return await work();
      } finally {
        this.#computing--;
        this.#more -= threads - 1;
      }
    } finally {
      if (alone) this.#alone--;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
      for (const queue of this.#queues) queue.wake();
    }
  }

  /** Waits until a stage has ended. Throws the reason of `signal` when it aborts. */
  async #change(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const onAbort = (): void => abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    await Promise.race([this.#changed.promise, aborted]);
    signal?.removeEventListener('abort', onAbort);
    signal?.throwIfAborted();
  }
}

/** Whether a rest is over is looked at so often. */
const restMs = 1000;

class QueueSlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  /** How many are lent at most, but one in any case; -Infinity: none. */
  readonly #limit: () => number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;
  /** Of those that are taken: the others are for a stage that may come. */
  used = 0;
  usedAt = -Infinity;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  async reserveSlot(_: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    for (;;) {
      if (signal.aborted) throw new AbortError('No slot is needed any more.');
      const permit = this.tryReserveSlot();
      if (permit !== null) return permit;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
    }
  }

  tryReserveSlot(): SlotPermit | null {
    // A stage of more threads than there are slots still runs, alone.
    const limit = this.#limit();
    if (limit === -Infinity || (this.#taken >= limit && this.#taken > 0)) return null;
    this.#taken++;
    return {};
  }

  markSlotUsed(): void {
    this.used++;
    this.usedAt = performance.now();
  }

  releaseSlot({ slotInfo }: SlotReleaseContext<ActivitySlotInfo>): void {
    // One that was never used is none's end.
    if (slotInfo != null) {
      this.usedAt = performance.now();
      this.used--;
    }
    this.#taken--;
    this.wake();
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
