import { spawn } from 'node:child_process';
import path from 'node:path';

export interface ThreadsResult {
  readonly trainings: number;
  readonly threads: number;
  /** Seconds for all trainings, as many at once as there are threads. */
  readonly oneThreadEach: number;
  /** Seconds for all trainings, one after the other. */
  readonly allThreadsEach: number;
}

const trainings = 8;

/** Wall time of small trainings in processes of their own, as a worker runs them: with one thread each, or one after the other with all. */
export async function compareThreads(threads: number): Promise<ThreadsResult> {
  const timed = async (atOnce: number, threadsEach: number) => {
    const begin = performance.now();
    let next = 0;
    const worker = async () => {
      while (next < trainings) await training(next++, threadsEach);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return (performance.now() - begin) / 1000;
  };
  return {
    trainings,
    threads,
    oneThreadEach: await timed(threads, 1),
    allThreadsEach: await timed(1, threads),
  };
}

function training(seed: number, threads: number): Promise<void> {
  const script = path.join(import.meta.dirname, 'one-training.ts');
  return new Promise((resolve, reject) => {
    spawn(process.execPath, [script, String(seed), String(threads)], { stdio: 'ignore' }).once(
      'exit',
      (code) => (code === 0 ? resolve() : reject(new Error(`A training ended with code ${code}.`))),
    );
  });
}
