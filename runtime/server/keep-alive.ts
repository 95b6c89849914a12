import { setTimeout } from 'node:timers/promises';
import { EnvironmentError } from '../../artifacts/errors.ts';

/** What dies (or fails to start) this often within a minute is not started again. */
const deathsAllowed = 6;
const deathWindowMs = 60_000;

/** Something that runs, tells when it has died, and can be stopped. */
export interface Mortal {
  readonly died: Promise<void>;
  stop(): Promise<void>;
}

/** A {@link Mortal} that is started again when it dies. */
export interface Kept<T extends Mortal> {
  /** The latest one. */
  current(): T;
  /** Stops it for good. */
  stop(): Promise<void>;
}

export interface KeepAliveOptions<T extends Mortal> {
  readonly name: string;
  readonly start: (previous?: T) => Promise<T>;
  /** A line for the user at each death. */
  readonly onEvent: (line: string) => void;
  /** Called once with the reason when it dies too often. */
  readonly onGivenUp: (reason: unknown) => void;
}

/** Starts something and starts it again whenever it dies, until it is stopped or dies too often. Throws if the first start fails. */
export async function keepAlive<T extends Mortal>(options: KeepAliveOptions<T>): Promise<Kept<T>> {
  const { name, start, onEvent, onGivenUp } = options;
  let current = await start();
  let stopping = false;
  const deaths: number[] = [];

  const startAgain = async (): Promise<void> => {
    let reason: unknown;
    for (;;) {
      deaths.push(Date.now());
      const recent = deaths.filter((time) => time > Date.now() - deathWindowMs).length;
      if (recent >= deathsAllowed) throw reason ?? tooManyDeaths(name);
      await setTimeout(200 * recent);
      if (stopping) return;
      try {
        current = await start(current);
        return;
      } catch (error) {
        reason = error;
      }
    }
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      await current.died;
      if (stopping) return;
      onEvent(`The ${name} died; it is started again.`);
      await startAgain();
      if (stopping) return;
    }
  };
  const watching = watch().catch(onGivenUp);
  return {
    current: () => current,
    async stop() {
      stopping = true;
      await current.stop();
      await watching;
      // It may have been started again in that moment.
      await current.stop();
    },
  };
}

function tooManyDeaths(name: string): EnvironmentError {
  return new EnvironmentError(
    `The ${name} died ${deathsAllowed} times within a minute.`,
    'See its log under `logs` in the home folder. What is finished is kept: run the pipeline again to go on.',
  );
}
