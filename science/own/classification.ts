import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { checkLabels } from '../examples.ts';
import type { LossName } from '../loss.ts';
import { checkLength, checkWhole, MismatchError } from '../mismatch.ts';
import type { Network } from '../models/model.ts';
import { count } from '../models/parameters.ts';
import { called, dependingOn } from './call.ts';
import {
  checkShape,
  layoutOf,
  type Numbers,
  named,
  type Problem,
  type Shapes,
  sizeOf,
  type Tensors,
} from './problem.ts';

export interface ClassificationOptions<Name extends string> {
  readonly parameters: Shapes<Name>;
  /**
   * Logits, examples x classes, of the inputs, examples x `inputShape`. Each example counts by itself; TensorFlow operations only, since it is
   * recorded once as a graph.
   */
  model(tf: TensorFlow, parameters: Tensors<Name>, inputs: Tensor): Tensor;
  /** Example after example, row by row. */
  readonly inputs: Numbers;
  /** The shape of one input: `[2]`, or `[28, 28, 1]`. */
  readonly inputShape: readonly number[];
  /** The class of each example, from 0 to classes - 1. */
  readonly labels: Numbers;
  readonly classes: number;
  /** Default: `cross-entropy`. */
  readonly loss?: LossName;
  /** Factor of the sum of squared weights of the `kernels` in the loss; default 0. */
  readonly l2?: number;
  /** Parameters that carry the L2 term; default: none. */
  readonly kernels?: readonly Name[];
}

/**
 * The mean loss of a classifier of one's own over examples, plus l2 * (sum of squared kernel weights), as a function of its weights.
 *
 * Throws {@link MismatchError} for inputs or labels of another length than the number of examples wants, labels that are no classes, inputs that are
 * not finite; and, once it is computed, for logits that are not examples x classes.
 *
 * @example
 * const problem = classificationProblem({
 *   parameters: { W: [2, 3], b: [3] },
 *   model: (tf, { W, b }, x) => tf.add(tf.matMul(x, W), b),
 *   inputs: [0, 1, 1, 0, 1, 1, 0, 0],
 *   inputShape: [2],
 *   labels: [0, 1, 2, 0],
 *   classes: 3,
 * });
 * problem.model.size; // 9
 * problem.data.examples; // 4
 */
export function classificationProblem<const Name extends string>(
  options: ClassificationOptions<Name>,
): Problem {
  const { inputShape, classes, loss = 'cross-entropy', l2 = 0, kernels = [] } = options;
  checkShape('inputShape', inputShape);
  checkWhole('classes', classes, [1, Number.POSITIVE_INFINITY]);
  const layout = layoutOf(options.parameters, kernels);
  if (!(l2 >= 0 && Number.isFinite(l2)))
    throw new MismatchError('l2', 'a number from 0 up', `${l2}`, 'Leave it out for none.');
  if (l2 > 0 && kernels.length === 0)
    throw new MismatchError(
      'kernels',
      'the parameters that carry the L2 term',
      'none',
      'Name them, or leave `l2` out.',
    );
  const labels = Array.from(options.labels);
  checkLabels(labels, classes);
  const width = count(inputShape);
  checkLength(
    'inputs',
    options.inputs,
    labels.length * width,
    `${labels.length} labels times inputs of ${inputShape.join(' x ')}`,
  );
  return {
    model: networkOf(options, layout),
    data: {
      images: Float32Array.from(options.inputs),
      labels: Int32Array.from(labels),
      shape: [1, 1, width],
      classes,
      examples: labels.length,
    },
    ...{ standardize: 'none', loss, l2 },
  };
}

function networkOf<Name extends string>(
  { model, inputShape, classes }: ClassificationOptions<Name>,
  layout: Network['layout'],
): Network {
  return {
    ...{ layout, size: sizeOf(layout), normalizations: [] },
    logits(tf, parameters, images) {
      const examples = images.shape[0];
      const tensors = named<Name>(layout, parameters);
      const inputs = images.reshape([examples, ...inputShape]);
      const logits = called(tf, 'model', { ...tensors, inputs }, [examples, classes], () =>
        model(tf, tensors, inputs),
      );
      return dependingOn(tf, parameters, logits);
    },
  };
}
