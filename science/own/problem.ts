import type { Tensor } from '@tensorflow/tfjs-node';
import type { Examples } from '../examples.ts';
import type { Objective } from '../loss.ts';
import { checkWhole, MismatchError } from '../mismatch.ts';
import type { Network, ParameterTensor } from '../models/model.ts';
import { count } from '../models/parameters.ts';

/**
 * A loss of weights, the mean over examples, as everything here takes it: spread it into the options of `createHessianProduct`, `createTrainer` or
 * `createGradients`. Made by `classificationProblem` or `lossProblem`.
 */
export interface Problem {
  /** `layout` says where each parameter tensor lies in the flat vectors, `size` is their length P. */
  readonly model: Network;
  readonly data: Examples;
  readonly standardize: 'none';
  readonly loss: Objective['loss'];
  /** Factor of the sum of squared kernel weights in the loss. */
  readonly l2: number;
}

/** Numbers of the user; each becomes a float32, or stays a whole number. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array | readonly number[];

/** The shape of each parameter tensor by its name, in the order in which they lie in the flat weight vector; `[]` is a number. */
export type Shapes<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/** The tensors of one evaluation by their names. */
export type Tensors<Name extends string> = Readonly<Record<Name, Tensor>>;

/** Where the tensors lie in the flat vector. Throws {@link MismatchError} for no tensor at all, or a length that is no positive whole number. */
export function layoutOf(shapes: Shapes<string>, kernels: readonly string[] = []): ParameterTensor[] {
  let offset = 0;
  const layout = Object.entries(shapes).map(([name, shape]) => {
    checkShape(`parameters.${name}`, shape);
    const tensor = { name, shape, offset, kernel: kernels.includes(name) };
    offset += count(shape);
    return tensor;
  });
  if (layout.length === 0)
    throw new MismatchError('parameters', 'at least one tensor', 'none', 'Name one: { w: [3] }.');
  const unknown = kernels.find((name) => !(name in shapes));
  if (unknown !== undefined)
    throw new MismatchError(
      'kernels',
      `names of parameters (${Object.keys(shapes).join(', ')})`,
      unknown,
      'Name only tensors that are among the parameters.',
    );
  return layout;
}

/** P */
export function sizeOf(layout: readonly ParameterTensor[]): number {
  return layout.reduce((sum, { shape }) => sum + count(shape), 0);
}

/** The tensors in the order of the layout, by their names. */
export function named<Name extends string>(
  layout: readonly ParameterTensor[],
  tensors: readonly Tensor[],
): Tensors<Name> {
  return Object.fromEntries(layout.map(({ name }, index) => [name, tensors[index]])) as Tensors<Name>;
}

/** Throws {@link MismatchError} for a length that is no positive whole number. */
export function checkShape(what: string, shape: readonly number[]): void {
  for (const length of shape)
    checkWhole(what, length, [1, Number.POSITIVE_INFINITY], `a length in the shape [${shape.join(', ')}]`);
}
