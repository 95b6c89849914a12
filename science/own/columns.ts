import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import { checkFinite, MismatchError } from '../mismatch.ts';
import { count } from '../models/parameters.ts';
import { checkShape, type Numbers, type Tensors } from './problem.ts';

/** Values of one kind for all examples, one example after the other. */
export interface Column {
  /** Whole numbers, as an Int32Array or Uint8Array, become int32 tensors, others float32. */
  readonly values: Numbers;
  /** The shape of what one example has of it; default `[]`, a number. */
  readonly shape?: readonly number[];
}

/** Columns by name; the loss gets them as tensors of shape [examples, ...shape]. */
export type Columns<Name extends string> = Readonly<Record<Name, Column>>;

interface Place<Name extends string> {
  readonly name: Name;
  readonly shape: readonly number[];
  /** Where its numbers lie in the row of an example. */
  readonly offset: number;
  readonly isWhole: boolean;
}

/** All columns side by side: a row of `width` numbers for each example. */
export interface PackedColumns<Name extends string> {
  readonly rows: Float32Array;
  readonly width: number;
  readonly examples: number;
  readonly places: readonly Place<Name>[];
}

/** float32 has every whole number up to this one. */
const largestWhole = 2 ** 24;

/** Throws {@link MismatchError} for columns of different numbers of examples, or values that are not finite or too large to be kept. */
export function packed<Name extends string>(columns: Columns<Name>): PackedColumns<Name> {
  const entries = Object.entries(columns) as [Name, Column][];
  let width = 0;
  let examples: number | undefined;
  const places = entries.map(([name, { values, shape = [] }]) => {
    checkShape(`data.${name}.shape`, shape);
    const own = values.length / count(shape);
    if (!Number.isInteger(own) || own === 0 || (examples !== undefined && own !== examples))
      throw new MismatchError(
        `data.${name}`,
        examples === undefined
          ? `a multiple of ${count(shape)} values (shape [${shape.join(', ')}])`
          : `${examples * count(shape)} values (${examples} examples of shape [${shape.join(', ')}])`,
        `${values.length}`,
        'Give each column a value, or a shape of values, for each example.',
      );
    examples = own;
    checkFinite(`data.${name}`, values, 'Leave out the examples that have such values, or mend them.');
    const isWhole = values instanceof Int32Array || values instanceof Uint8Array;
    const large = isWhole ? values.findIndex((value) => Math.abs(value) > largestWhole) : -1;
    if (large >= 0)
      throw new MismatchError(
        `data.${name}`,
        `whole numbers up to ${largestWhole}`,
        `${values[large]} at index ${large}`,
        'Give them as a Float32Array if they may be rounded.',
      );
    const place = { name, shape, offset: width, isWhole };
    width += count(shape);
    return place;
  });
  // A loss of the parameters alone has one example, of which nothing is read.
  if (examples === undefined) return { rows: new Float32Array(1), width: 1, examples: 1, places: [] };
  const rows = new Float32Array(examples * width);
  for (const [index, { shape, offset }] of places.entries()) {
    const { values } = entries[index]![1];
    const own = count(shape);
    for (let i = 0; i < values.length; i++)
      rows[Math.floor(i / own) * width + offset + (i % own)] = values[i]!;
  }
  return { rows, width, examples, places };
}

/** The columns of some examples, whose rows are examples x 1 x 1 x width. */
export function unpacked<Name extends string>(
  { width, places }: PackedColumns<Name>,
  rows: Tensor4D,
): Tensors<Name> {
  const [examples] = rows.shape;
  const flat = rows.reshape([examples, width]);
  const tensors = places.map(({ name, shape, offset, isWhole }): [Name, Tensor] => {
    const own = flat.slice([0, offset], [examples, count(shape)]).reshape([examples, ...shape]);
    return [name, isWhole ? own.toInt() : own];
  });
  return Object.fromEntries(tensors) as Tensors<Name>;
}
