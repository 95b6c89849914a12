import { type PairedDifference, pairedDifference } from '../../../science/analysis/paired-difference.ts';
import type { Collection } from './data.ts';
import { type Pairing, pairCells } from './pairing.ts';

/** What may be compared, and how: the first that the table has is. */
interface Compared {
  readonly column: string;
  readonly name: string;
  readonly kind: 'absolute' | 'reduction';
  /** Factor and unit in which values and differences are told. */
  readonly scale: number;
  readonly unit: string;
  readonly differenceUnit: string;
}

const percent = { scale: 100, unit: ' %', differenceUnit: ' percentage points' } as const;
const compared: readonly Compared[] = [
  {
    column: 'loss_fluctuation',
    name: 'loss of the fluctuations',
    kind: 'reduction',
    scale: 1,
    unit: '',
    differenceUnit: ' %',
  },
  { column: 'test_accuracy', name: 'test accuracy', kind: 'absolute', ...percent },
  { column: 'accuracy', name: 'accuracy', kind: 'absolute', ...percent },
  { column: 'train_accuracy', name: 'train accuracy', kind: 'absolute', ...percent },
];

/** A comparison of two levels of an axis in one quantity. */
export interface Comparison {
  readonly pairing: Pairing;
  readonly quantity: Compared;
  readonly measured: PairedDifference;
  /** The same from the theory's values, where the table has them. */
  readonly theory: PairedDifference | undefined;
  /** Standard error of a single pair's difference from those of its two values. */
  readonly propagated: number;
}

/** Compares the quantity of a collection that can be compared. Throws if there is none, or no pairs. */
export function compare(data: Collection): Comparison {
  const quantity = compared.find(({ column }) =>
    data.rows.some((row) => Number.isFinite(Number(row[column]))),
  );
  if (quantity === undefined)
    throw new Error(`The table has none of ${compared.map(({ column }) => column).join(', ')} to compare.`);
  const pairing = pairCells(data);
  const { column, kind } = quantity;
  const values = (name: string) =>
    [0, 1].map((side) => pairing.pairs.map((pair) => Number(pair[side]![name]))) as [number[], number[]];
  const [first, second] = values(column);
  const theoretical = values(`${column}_theory`);
  const [pair] = pairing.pairs;
  const relative = pair!.map((row) => Number(row[`${column}_standard_error`]) / Number(row[column]));
  return {
    pairing,
    quantity,
    measured: pairedDifference(first, second, kind),
    theory: theoretical.flat().every(Number.isFinite) ? pairedDifference(...theoretical, kind) : undefined,
    propagated: kind === 'reduction' ? (Math.hypot(...relative) * first[0]!) / second[0]! : Number.NaN,
  };
}
