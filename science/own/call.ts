import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { MismatchError } from '../mismatch.ts';
import type { Tensors } from './problem.ts';

/**
 * What a function of the user gives, which must be a tensor of this shape. Where TensorFlow only has a status for shapes that do not go together, the error
 * names the shapes of all that the function was given.
 */
export function called(
  tf: TensorFlow,
  what: string,
  given: Tensors<string>,
  shape: readonly number[],
  call: () => Tensor,
): Tensor {
  let result: Tensor;
  try {
    result = call();
  } catch (error) {
    const { message } = error as Error;
    const words = /^Invalid TF_Status: \d+\s*(?:Message: )?(.*)/s.exec(message);
    if (words === null) throw error;
    const shapes = Object.entries(given).map(([name, tensor]) => `${name} ${shapeOf(tensor)}`);
    throw new MismatchError(
      what,
      `operations on shapes that go together (${shapes.join(', ')})`,
      `"${words[1]}"`,
      'Correct the shapes of the parameters, or the operations.',
    );
  }
  if (result instanceof tf.Tensor && shapeOf(result) === `[${shape.join(', ')}]`) return result;
  throw new MismatchError(
    what,
    `a tensor of shape [${shape.join(', ')}]${shape.length === 0 ? ' (a scalar)' : ' (examples x classes)'}`,
    result instanceof tf.Tensor ? shapeOf(result) : `${result}`,
    shape.length === 0
      ? 'Take the mean over the examples: `tf.mean(...)`.'
      : 'Give one row of logits for each example.',
  );
}

/**
 * The tensor plus nothing, as a function of the parameters: where a slope does not depend on one of them, TensorFlow.js refuses the second
 * derivative, which is zero. So each slope depends on each parameter.
 */
export function dependingOn(tf: TensorFlow, parameters: readonly Tensor[], value: Tensor): Tensor {
  const squares = parameters.map((tensor) => tf.sum(tf.square(tensor)));
  const sum = squares.reduce((total, term) => tf.add(total, term));
  return tf.add(value, tf.mul(sum, 0));
}

function shapeOf({ shape }: Tensor): string {
  return `[${shape.join(', ')}]`;
}
