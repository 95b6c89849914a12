import { driverVersion, type Gpu, listGpus } from '../../compute/gpus.ts';
import { isGpuBuild } from '../../compute/native-package.ts';
import { type LockGpu, lockGpu } from './gpu-lock.ts';

/** The GPUs of this machine that stages may use. */
export interface UsableGpus {
  readonly gpus: readonly Gpu[];
  /** Why TensorFlow can use none, where the machine has some. */
  readonly why?: string;
}

/** How many there are, as far as that is known without asking TensorFlow. */
export function countGpus(): number {
  return isGpuBuild() ? listGpus().length : 0;
}

/** Those GPUs and their driver in words: "NVIDIA H200, driver 570.86.15". */
export function describeGpus(gpus: readonly Gpu[]): string {
  const driver = driverVersion();
  const models = gpus.map(({ model, name }) => model ?? `GPU ${name}`);
  return [...models, ...(driver === undefined ? [] : [`driver ${driver}`])].join(', ');
}

/** Another worker does not tell when it gives a GPU back: it is asked for again after so long. */
const askAgainMs = 500;

interface Lent {
  readonly gpu: Gpu;
  readonly release: () => Promise<void>;
}

/** Hands out the GPUs of this machine so that each runs one stage at a time, whichever of its workers computes it. */
export class GpuPool {
  readonly size: number;
  readonly why: string | undefined;
  readonly #free: Gpu[];
  readonly #lock: LockGpu;
  readonly #waiting = new Set<() => void>();

  constructor({ gpus, why }: UsableGpus, lock = lockGpu) {
    this.size = gpus.length;
    this.why = why;
    this.#free = [...gpus];
    this.#lock = lock;
  }

  /** Runs `work` with `count` GPUs of its own. Asking for more than there are gives all of them. Throws the reason of `signal` while it waits. */
  async lend<T>(count: number, signal: AbortSignal, work: (gpus: readonly Gpu[]) => Promise<T>): Promise<T> {
    const wanted = Math.min(count, this.size);
    let lent = await this.#take(wanted);
    while (lent === undefined) {
      await this.#change(signal);
      lent = await this.#take(wanted);
    }
    try {
      return await work(lent.map(({ gpu }) => gpu));
    } finally {
      await this.#giveBack(lent);
      for (const wake of this.#waiting) wake();
    }
  }

  async #take(wanted: number): Promise<Lent[] | undefined> {
    if (this.#free.length < wanted) return undefined;
    const lent: Lent[] = [];
    const elsewhere: Gpu[] = [];
    while (lent.length < wanted) {
      const gpu = this.#free.shift();
      if (gpu === undefined) break;
      const release = await this.#lock(gpu);
      if (release === undefined) elsewhere.push(gpu);
      else lent.push({ gpu, release });
    }
    this.#free.push(...elsewhere);
    if (lent.length === wanted) return lent;
    await this.#giveBack(lent);
    return undefined;
  }

  async #giveBack(lent: readonly Lent[]): Promise<void> {
    for (const { gpu, release } of lent) {
      await release();
      this.#free.push(gpu);
    }
  }

  /** Waits until one may be free. */
  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = setTimeout(wake, askAgainMs);
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(wake);
    signal.removeEventListener('abort', wake);
    signal.throwIfAborted();
  }
}
