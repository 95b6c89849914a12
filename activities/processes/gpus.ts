import { existsSync, readdirSync } from 'node:fs';

const driverFolder = '/proc/driver/nvidia/gpus';

/** Number of NVIDIA GPUs that this process may use: those of `CUDA_VISIBLE_DEVICES` if it is set, else those the driver lists. */
export function countGpus(): number {
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  if (visible !== undefined)
    return visible.split(',').filter((name) => name.trim() !== '' && name.trim() !== '-1').length;
  return existsSync(driverFolder) ? readdirSync(driverFolder).length : 0;
}

/** Names of those GPUs, as `CUDA_VISIBLE_DEVICES` takes them. */
export function gpuNames(): string[] {
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  const names = visible?.split(',').map((name) => name.trim());
  return Array.from({ length: countGpus() }, (_, index) => names?.[index] ?? String(index));
}

/** Hands out the GPUs of this machine so that each runs one stage at a time. */
export class GpuPool {
  readonly size: number;
  readonly #free: string[];
  readonly #waiting: (() => void)[] = [];

  constructor(names: readonly string[]) {
    this.size = names.length;
    this.#free = [...names];
  }

  /** Runs `work` with `count` GPUs of its own, named as for `CUDA_VISIBLE_DEVICES`. Asking for more than there are gives all of them. */
  async lend<T>(count: number, signal: AbortSignal, work: (gpus: string) => Promise<T>): Promise<T> {
    const wanted = Math.min(count, this.size);
    while (this.#free.length < wanted) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      signal.throwIfAborted();
    }
    const gpus = this.#free.splice(0, wanted);
    try {
      return await work(gpus.join(','));
    } finally {
      this.#free.push(...gpus);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}
