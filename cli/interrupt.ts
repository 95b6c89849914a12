/**
 * The wish to stop: Ctrl-C, SIGTERM, a closed terminal, or the warning of a batch system before it takes the machine away. The same one again
 * ends the program at once.
 */
export interface Interruption {
  readonly requested: Promise<void>;
  off(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** @param tell Says at the first wish what happens now. */
export function onInterrupt(tell: () => void = () => undefined): Interruption {
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  const seen = new Set<string>();
  const listener = (signal: NodeJS.Signals): void => {
    if (seen.has(signal)) process.exit(130);
    seen.add(signal);
    if (seen.size === 1) tell();
    resolve();
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    requested,
    off() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
