/** Programs that are started again whenever they end, as a service manager such as systemd would, until they have ended well or are stopped. */
import { setTimeout } from 'node:timers/promises';
import type { Finished, Running } from '../e2e/epochal.ts';
import type { Host } from './hosts.ts';
import { restartMs } from './parts.ts';

export interface Service {
  readonly name: string;
  readonly host: Host;
  /** Of the one that runs now. */
  readonly pid: number;
  /** How it has ended by itself with exit code 0; never, if it is stopped before. */
  readonly done: Promise<Finished>;
  /** What every one of them has said. */
  readonly ends: readonly Finished[];
  stop(): Promise<void>;
}

/** @param start Starts it; called again when it has ended. */
export function keepRunning(name: string, host: Host, start: () => Running): Service {
  const { promise: done, resolve } = Promise.withResolvers<Finished>();
  const ends: Finished[] = [];
  let current = start();
  let stopping = false;
  const watch = async (): Promise<void> => {
    for (;;) {
      const finished = await current.finished;
      ends.push(finished);
      if (finished.code === 0) return resolve(finished);
      await setTimeout(stopping ? 0 : restartMs);
      if (stopping) return;
      current = start();
    }
  };
  const watching = watch();
  return {
    name,
    host,
    get pid() {
      return current.child.pid!;
    },
    done,
    ends,
    async stop() {
      stopping = true;
      current.child.kill('SIGTERM');
      await watching;
    },
  };
}
