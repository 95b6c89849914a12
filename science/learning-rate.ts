/** How the learning rate goes over the epochs, as a factor on its first value. */
export type Schedule =
  | { readonly name: 'constant' }
  | { readonly name: 'exponential'; readonly decay: number }
  | {
      readonly name: 'steps';
      readonly steps: readonly { readonly afterEpoch: number; readonly factor: number }[];
    }
  | { readonly name: 'cosine'; readonly final?: number };

/** The epochs that a schedule reaches over, and where in them it stands. */
export interface Epoch {
  /** Counted from 0. */
  readonly epoch: number;
  readonly epochs: number;
}

/**
 * eta of an epoch, from that of the first:
 *
 * - `constant`: eta_0
 * - `exponential`: eta_0 decay^e
 * - `steps`: eta_0 times the factor of each step that lies behind, that is, of which `afterEpoch` epochs are done
 * - `cosine`: final + (eta_0 - final) (1 + cos(pi e / E)) / 2 over E epochs (Loshchilov and Hutter 2017, without restarts); `final`, by default 0,
 *   would be reached in epoch E, one after the last
 */
export function learningRateAt(schedule: Schedule, first: number, { epoch, epochs }: Epoch): number {
  switch (schedule.name) {
    case 'constant':
      return first;
    case 'exponential':
      return first * schedule.decay ** epoch;
    case 'steps':
      return schedule.steps.reduce(
        (rate, { afterEpoch, factor }) => (epoch >= afterEpoch ? rate * factor : rate),
        first,
      );
    case 'cosine': {
      const { final = 0 } = schedule;
      return final + ((first - final) * (1 + Math.cos((Math.PI * epoch) / Math.max(epochs, 1)))) / 2;
    }
  }
}
