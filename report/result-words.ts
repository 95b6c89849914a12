import { formatMeasured, formatSignificant } from './numbers.ts';
import { signed } from './page/summary.ts';
import type { ResultQuantity, ResultRow } from './result-rows.ts';

/** What to call some quantities: `lambda_cross`; with its stage where several stages give one of that name. */
export function nameAll(quantities: readonly ResultQuantity[]): string[] {
  return quantities.map(({ stage, name }) => {
    const isAlone = quantities.filter((other) => other.name === name).length === 1;
    return (isAlone && name.includes('_') ? name : `${stage} ${name}`)
      .replaceAll('_', ' ')
      .replace('lambda cross', 'lambda_cross')
      .replace('tau sgd', 'tau_sgd')
      .replace(/ leftover$/, ' with the noise left over');
  });
}

/** `0.45 ± 0.10`, or `97.1 ± 0.4 %` */
export function measured({ name, value, error }: ResultQuantity): string {
  if (!name.endsWith('accuracy')) return formatMeasured(value, error);
  // Four digits: 99.95 % is not all.
  return `${error === undefined ? formatSignificant(100 * value, 4) : formatMeasured(100 * value, 100 * error)} %`;
}

/** `0.45 ± 0.10 (0.749; −2.9)` */
export function againstTheory(quantity: ResultQuantity): string {
  const { theory, deviation } = quantity;
  if (theory === undefined) return measured(quantity);
  const errors = deviation === undefined ? '' : `; ${signed(deviation)}`;
  return `${measured(quantity)} (${formatSignificant(theory)}${errors})`;
}

/** What {@link againstTheory} has in brackets. */
export const bracketsSentence = 'in brackets: the theory; the deviation in standard errors';

/** Rows of results as a table. */
export interface ResultColumns {
  /** Of the columns: the axes, then the quantities. */
  readonly names: readonly string[];
  readonly axes: number;
  /** An entry for each name; `-` where a row lacks a quantity. */
  readonly entries: readonly (readonly string[])[];
  readonly hasTheory: boolean;
}

/** Without the second fit of a quantity, for which tables over many cells have no room. */
export function withoutLeftover(all: readonly ResultQuantity[]): readonly ResultQuantity[] {
  return all.filter(({ name }) => !name.endsWith('_leftover'));
}

/** Lays some rows out by the quantities that `choose` takes of all that they have. */
export function resultColumns(
  rows: readonly ResultRow[],
  choose: (all: readonly ResultQuantity[]) => readonly ResultQuantity[] = withoutLeftover,
): ResultColumns {
  const keyOf = ({ stage, name }: ResultQuantity) => `${stage} ${name}`;
  const all = new Map(
    rows.flatMap(({ quantities }) => quantities.map((quantity) => [keyOf(quantity), quantity])),
  );
  const chosen = choose([...all.values()]);
  const axes = Object.keys(rows[0]?.axes ?? {});
  return {
    names: [...axes, ...nameAll(chosen)],
    axes: axes.length,
    entries: rows.map(({ axes: values, quantities }) => [
      ...axes.map((axis) => (typeof values[axis] === 'string' ? values[axis] : JSON.stringify(values[axis]))),
      ...chosen.map((wanted) => {
        const quantity = quantities.find((one) => keyOf(one) === keyOf(wanted));
        return quantity === undefined ? '-' : againstTheory(quantity);
      }),
    ]),
    hasTheory: [...all.values()].some(({ theory }) => theory !== undefined),
  };
}
