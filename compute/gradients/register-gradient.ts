import type { GradConfig, NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../native-backend.ts';

/** What an operation gives its inputs, by their names, when its output gets `dy`. `saved` are the inputs that were asked for, in order. */
export type Gradient = (
  dy: Tensor,
  saved: Tensor[],
  attributes: NamedAttrMap,
) => Record<string, () => Tensor>;

/** What one instance of TensorFlow.js had before its gradients were replaced, and why they were. */
interface Replacements {
  /** By operation; undefined where there was none. */
  readonly before: Map<string, GradConfig | undefined>;
  readonly prepared: Set<string>;
}

const replacements = new WeakMap<TensorFlow, Replacements>();

function replacementsOf(tf: TensorFlow): Replacements {
  const known = replacements.get(tf) ?? { before: new Map(), prepared: new Set() };
  replacements.set(tf, known);
  return known;
}

/** Calls `prepare` unless that was done for the same purpose since gradients were last restored. */
export function prepareOnce(tf: TensorFlow, purpose: string, prepare: () => void): void {
  const { prepared } = replacementsOf(tf);
  if (prepared.has(purpose)) return;
  prepared.add(purpose);
  prepare();
}

/** What gradients were replaced for, in this order, since they were last restored: it decides which are registered. */
export function preparedPurposes(tf: TensorFlow): string {
  return [...replacementsOf(tf).prepared].join();
}

/** Makes the gradients of the moment those that {@link restoreGradients} comes back to. */
export function settleGradients(tf: TensorFlow): void {
  replacements.delete(tf);
}

/**
 * Puts back the gradients that were replaced: other formulas for the same numbers round otherwise, and what comes next in this process shall have the
 * bits that it has in a process of its own.
 */
export function restoreGradients(tf: TensorFlow): void {
  for (const [kernelName, before] of replacementsOf(tf).before) {
    tf.unregisterGradient(kernelName);
    if (before !== undefined) tf.registerGradient(before);
  }
  replacements.delete(tf);
}

/** Registers the gradient of an operation, in place of the one that is there. It saves inputs only: an output would count as a constant. */
export function registerGradient(
  tf: TensorFlow,
  kernelName: string,
  inputsToSave: string[],
  gradient: Gradient,
): void {
  const there = tf.getGradient(kernelName);
  const { before } = replacementsOf(tf);
  if (!before.has(kernelName)) before.set(kernelName, there);
  if (there !== undefined) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (dy, saved, attributes) => gradient(dy as Tensor, saved, attributes),
  });
}

/** Runs one operation so that it can be differentiated. */
export function runKernel(
  tf: TensorFlow,
  kernel: string,
  inputs: Record<string, Tensor>,
  attributes: NamedAttrMap = {},
): Tensor {
  return tf.engine().runKernel(kernel, inputs as NamedTensorMap, attributes) as Tensor;
}
