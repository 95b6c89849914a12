/** The user's wish to stop: Ctrl-C or SIGTERM. A second one ends the program at once. */
export interface Interruption {
  readonly requested: Promise<void>;
  off(): void;
}

export function onInterrupt(): Interruption {
  let resolve: () => void;
  const requested = new Promise<void>((done) => {
    resolve = done;
  });
  let times = 0;
  const listener = (): void => {
    times++;
    if (times > 1) process.exit(130);
    process.stderr.write('\nStopping; running stages keep their checkpoints. Once more ends at once.\n');
    resolve();
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    requested,
    off() {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}
