import { cpus, loadavg, release, totalmem } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly threads: number;
  /** Products of large float32 matrices, GFLOP/s on these threads. */
  readonly matrixRate: number;
  /** Processes that wanted a core, on average over the last five minutes. */
  readonly load: number;
  /** Variables that change what libraries do, as they were found. */
  readonly environment: Readonly<Record<string, string>>;
}

export function machineOf(threads: number, matrixRate: number): Machine {
  const relevant = /^(OPENBLAS|MKL|OMP|KMP|TF_ENABLE|ONEDNN|DNNL)_/;
  return {
    processor: cpus()[0]!.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    threads,
    matrixRate,
    load: loadavg()[1]!,
    environment: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        relevant.test(name) && value !== undefined ? [[name, value]] : [],
      ),
    ),
  };
}
