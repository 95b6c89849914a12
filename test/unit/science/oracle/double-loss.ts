import type { ImageShape, ModelSpec } from '../../../../science/models/index.ts';
import { logitsOf } from './double-forward.ts';
import { mapsOf, type Network } from './double-layers.ts';
import { Tape, type Value } from './double-tape.ts';

type Vector = Float64Array<ArrayBuffer>;

/** Everything that a loss is a function of, apart from the weights. */
export interface DoubleProblem {
  readonly spec: ModelSpec;
  readonly shape: ImageShape;
  readonly classes: number;
  /** examples x height x width x channels */
  readonly inputs: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly loss: 'cross-entropy' | 'mean-squared-error';
  readonly l2: number;
  /** [start, end) of each kernel in the weights. */
  readonly kernels: readonly (readonly [number, number])[];
  readonly statistics?: readonly number[] | undefined;
}

export interface DoubleResult {
  readonly loss: number;
  readonly gradient: Vector;
  /** Means and variances that batch normalization took, in the layout of the statistics. */
  readonly moments: readonly number[];
}

/** Mean loss plus the L2 term, and its gradient, in double precision. */
export function doubleLoss(problem: DoubleProblem, theta: Vector): DoubleResult {
  const tape = new Tape();
  const weights = Array.from(theta, (weight) => tape.leaf(weight));
  let used = 0;
  const take = (count: number) => {
    used += count;
    return weights.slice(used - count, used);
  };
  const { spec, shape, classes, inputs, labels, statistics } = problem;
  const pixels = shape[0] * shape[1] * shape[2];
  const images = Array.from(labels, (_, example) =>
    mapsOf(
      tape,
      shape,
      Array.from({ length: pixels }, (_, i) => inputs[example * pixels + i]!),
    ),
  );
  const seen: number[] = [];
  const logits = logitsOf({ tape, spec: spec as Network, take, images, classes, statistics, seen });
  if (used !== theta.length) throw new Error(`The oracle uses ${used} weights, got ${theta.length}.`);
  const each = logits.map((row, example) => lossOf(tape, problem.loss, row, labels[example]!));
  const mean = tape.sum(each, 1 / each.length);
  const decayed = problem.kernels.flatMap(([start, end]) => weights.slice(start, end));
  const total = tape.sum([mean, tape.sum([tape.dot(decayed, decayed)], problem.l2)]);
  return { loss: tape.values[total]!, gradient: tape.gradient(total, theta.length), moments: seen };
}

/** H v by a central difference of the gradient along v. */
export function doubleHessianProduct(problem: DoubleProblem, theta: Vector, v: ArrayLike<number>): Vector {
  const step = 1e-5 / Math.sqrt(theta.length);
  const at = (factor: number) =>
    doubleLoss(
      problem,
      theta.map((weight, i) => weight + factor * step * v[i]!),
    ).gradient;
  const [above, below] = [at(1), at(-1)];
  return above.map((g, i) => (g - below[i]!) / (2 * step));
}

function lossOf(tape: Tape, loss: DoubleProblem['loss'], logits: Value[], label: number): Value {
  if (loss === 'mean-squared-error') {
    const errors = logits.map((z, c) => tape.sum([z, tape.leaf(c === label ? -1 : 0)]));
    return tape.sum([tape.dot(errors, errors)], 0.5);
  }
  const total = tape.sum(logits.map((z) => tape.unary(z, Math.exp, Math.exp)));
  const minus = tape.sum([logits[label]!], -1);
  return tape.sum([tape.unary(total, Math.log, (x) => 1 / x), minus]);
}
