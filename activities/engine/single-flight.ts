/** Lets one caller a key work while the others wait, so that two cells with the same step compute it once on one worker. */
export class SingleFlight {
  readonly #flights = new Map<string, Promise<void>>();

  /** Runs `work` as soon as no other work of `key` is running. Rejects with the signal's reason if that comes first. */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    for (let other = this.#flights.get(key); other !== undefined; other = this.#flights.get(key)) {
      await Promise.race([other, rejectOn(signal)]);
    }
    const result = work();
    const landed = result.then(
      () => undefined,
      () => undefined,
    );
    this.#flights.set(key, landed);
    try {
      return await result;
    } finally {
      this.#flights.delete(key);
    }
  }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
