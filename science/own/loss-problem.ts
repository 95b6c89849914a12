import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { LossFunction } from '../loss.ts';
import type { ParameterTensor } from '../models/model.ts';
import { called, dependingOn } from './call.ts';
import { type Columns, type PackedColumns, packed, unpacked } from './columns.ts';
import { layoutOf, named, type Problem, type Shapes, sizeOf, type Tensors } from './problem.ts';

export interface LossProblemOptions<Name extends string, Column extends string> {
  readonly parameters: Shapes<Name>;
  /**
   * A scalar: the *mean* over the examples in `data`, whatever their number, of what each gives by itself. It is called with some of the examples at
   * a time, with TensorFlow operations only, since it is recorded as a graph.
   */
  loss(tf: TensorFlow, parameters: Tensors<Name>, data: Tensors<Column>): Tensor;
  /** What the loss is the mean over; left out, it is a function of the parameters alone. */
  readonly data?: Columns<Column>;
}

/**
 * A loss of one's own as a function of its parameters, with data or without.
 *
 * Throws {@link MismatchError} for columns of different numbers of examples, or values that are not finite; and, once it is computed, for a loss that
 * is no scalar.
 *
 * @example
 * const rosenbrock = lossProblem({
 *   parameters: { x: [], y: [] },
 *   loss: (tf, { x, y }) => tf.add(tf.square(tf.sub(1, x)), tf.mul(100, tf.square(tf.sub(y, tf.square(x))))),
 * });
 * rosenbrock.model.size; // 2
 *
 * @example
 * const line = lossProblem({
 *   parameters: { slope: [], offset: [] },
 *   data: { x: { values: [0, 1, 2] }, y: { values: [1, 3, 5] } },
 *   loss: (tf, { slope, offset }, { x, y }) => tf.mean(tf.square(tf.sub(tf.add(tf.mul(slope, x), offset), y))),
 * });
 * line.data.examples; // 3
 */
export function lossProblem<const Name extends string, const Column extends string = never>(
  options: LossProblemOptions<Name, Column>,
): Problem {
  const layout = layoutOf(options.parameters);
  const columns = packed((options.data ?? {}) as Columns<Column>);
  const { rows, width, examples } = columns;
  return {
    model: {
      ...{ layout, size: sizeOf(layout), normalizations: [] },
      logits: (tf, parameters, images) => outputOf(tf, options, layout, parameters, columns, images),
    },
    data: { images: rows, labels: new Int32Array(examples), shape: [1, 1, width], classes: 1, examples },
    ...{ standardize: 'none', loss: theOutput, l2: 0 },
  };
}

/** The network of a loss has the loss as its output, 1 x 1, whatever the number of examples; this is the loss of that network. */
const theOutput: LossFunction = (tf, output) => tf.sum(output);

function outputOf<Name extends string, Column extends string>(
  tf: TensorFlow,
  { loss }: LossProblemOptions<Name, Column>,
  layout: readonly ParameterTensor[],
  parameters: readonly Tensor[],
  columns: PackedColumns<Column>,
  rows: Tensor4D,
): Tensor {
  const [tensors, data] = [named<Name>(layout, parameters), unpacked(columns, rows)];
  const value = called(tf, 'loss', { ...tensors, ...data }, [], () => loss(tf, tensors, data));
  return dependingOn(tf, parameters, value).reshape([1, 1]);
}
