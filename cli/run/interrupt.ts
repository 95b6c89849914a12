/** The user's or the system's wish to stop: Ctrl-C, a closed terminal, or what a batch system sends before it takes the machine away. */
export interface Interruption {
  readonly requested: Promise<void>;
  readonly happened: boolean;
  off(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** npm hands a Ctrl-C on that the terminal has sent to all of its processes already. */
const sameKeyMs = 500;

/**
 * Takes these signals as the wish to stop. Ctrl-C once more ends the program at once; the others come as often as they like, since systems send
 * several, to one process or to all.
 *
 * @param tell Says at the first wish what happens now.
 */
export function onInterrupt(tell: () => void = () => undefined): Interruption {
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  let happened = false;
  let pressedAt: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT') {
      pressedAt ??= Date.now();
      if (Date.now() - pressedAt > sameKeyMs) process.exit(130);
    }
    if (happened) return;
    happened = true;
    tell();
    resolve();
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    requested,
    get happened() {
      return happened;
    },
    off() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
