import { type RowProducts, rowProducts } from './row-products.ts';

export interface LagLayout {
  /** M: steps in each epoch. */
  readonly batchesPerEpoch: number;
  /** E: epochs whose steps are the earlier one of a pair. */
  readonly epochs: number;
  /** L: the largest lag. */
  readonly lags: number;
}

/** Epochs that must follow the E measured ones, so that each of their steps has partners at all lags. */
export function tailEpochs({ batchesPerEpoch, lags }: LagLayout): number {
  return Math.ceil(lags / batchesPerEpoch);
}

/**
 * a_e(h) = sum over the steps k of epoch e of x_k . x_{k+h} for h = 0 ... L, from vectors x_k that come epoch after epoch.
 *
 * Each lag has exactly M pairs an epoch, one for each position in it, because the noise of an epoch is cyclostationary and equation (2) is the
 * mean over all positions. Vectors are kept in float32 for as long as a lag reaches; sums are in double precision.
 */
export class LaggedProducts {
  /** E x (L + 1), row-major. */
  readonly sums: Float64Array;
  readonly #layout: LagLayout;
  readonly #products: RowProducts;
  /** The last epochs, oldest first; each M x P. */
  readonly #kept: Float32Array[];
  #epoch: number;

  /** `saved` goes on after `done` epochs from their sums and the last {@link tailEpochs} of them (all, if there are fewer). */
  constructor(
    layout: LagLayout,
    saved?: { readonly sums: Float64Array; readonly done: number; readonly kept: readonly Float32Array[] },
    products: RowProducts = rowProducts,
  ) {
    this.#products = products;
    this.#layout = layout;
    this.sums = saved?.sums ?? new Float64Array(layout.epochs * (layout.lags + 1));
    this.#epoch = saved?.done ?? 0;
    this.#kept = [...(saved?.kept ?? [])];
  }

  /** Adds the vectors of the next epoch, M x P, row-major. */
  async add(rows: Float32Array): Promise<void> {
    const { batchesPerEpoch: m, epochs, lags } = this.#layout;
    const epoch = this.#epoch;
    this.#keep(rows);
    for (const [age, earlier] of this.#kept.toReversed().entries()) {
      const of = epoch - age;
      if (of >= epochs) continue;
      const products = await this.#products(rows, earlier, rows.length / m);
      for (let later = 0; later < m; later++) {
        for (let position = 0; position < m; position++) {
          const h = age * m + later - position;
          if (h >= 0 && h <= lags) this.sums[of * (lags + 1) + h]! += products[later * m + position]!;
        }
      }
    }
  }

  #keep(rows: Float32Array): void {
    this.#kept.push(rows);
    this.#epoch++;
    if (this.#kept.length > tailEpochs(this.#layout) + 1) this.#kept.shift();
  }
}
