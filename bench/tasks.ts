import type { ThreadSharing } from '../compute/tensorflow.ts';
import type { SideSpec } from './sides/side.ts';

/** A part of the comparison. */
export interface Task {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** What one round holds of the unit, and floating-point operations of one, if they can be counted. */
  readonly perRound: number;
  readonly operations?: number;
  readonly rounds: number;
  /** How Epochal's threads are shared, as in the stage that does this. Default: `graphs`. */
  readonly sharing?: ThreadSharing;
  /** Leading numbers of a result that the reported deviation is of; default: all. */
  readonly compared?: number;
  /** Eigenpairs: with the number of products and the peak memory. */
  readonly withProducts?: boolean;
  /** Called with Epochal's first result, before any peer is asked. */
  onReference?(result: Float64Array): void;
  /** How far a result may be from Epochal's; undefined if it agrees, else why not. */
  check(result: Float64Array, reference: Float64Array): string | undefined;
  /** Least ratio to Epochal's time that is aimed at, for the best of each group of sides. */
  readonly targets: readonly { readonly sides: readonly string[]; readonly ratio: number }[];
}

export const sides: readonly SideSpec[] = [
  { name: 'epochal', describes: 'Epochal (TensorFlow.js, graphs recorded by itself)' },
  {
    name: 'tensorflow',
    describes: 'TensorFlow for Python, tf.function',
    python: ['tensorflow_side.py'],
  },
  { name: 'pytorch', describes: 'PyTorch, eager, channels_last', python: ['pytorch_side.py', 'eager'] },
  { name: 'pytorch-compile', describes: 'PyTorch, torch.compile', python: ['pytorch_side.py', 'compile'] },
  {
    name: 'pytorch-retained',
    describes: 'PyTorch, eager, first backward pass kept',
    python: ['pytorch_side.py', 'retained'],
  },
  {
    name: 'pytorch-func',
    describes: 'PyTorch, torch.func.jvp of torch.func.grad',
    python: ['pytorch_side.py', 'func'],
  },
  { name: 'jax', describes: 'JAX, one jitted call for each step or batch', python: ['jax_side.py', 'calls'] },
  { name: 'jax-scan', describes: 'JAX, lax.scan in one jitted call', python: ['jax_side.py', 'scan'] },
  { name: 'curvlinops', describes: 'curvlinops (PyTorch)', python: ['curvlinops_side.py'] },
  { name: 'pyhessian', describes: 'PyHessian (PyTorch)', python: ['pyhessian_side.py'] },
  { name: 'numpy', describes: 'NumPy', python: ['numpy_side.py'] },
];

/** Multiplications and additions of LeNet for one example: forward, and forward with the gradient in the weights. */
const convolutions = [32 * 32 * 25 * 3 * 6, 16 * 16 * 25 * 6 * 16] as const;
const forward = 2 * (convolutions[0] + convolutions[1] + 1024 * 120 + 120 * 84 + 84 * 10);
const withGradient = 3 * forward - 2 * convolutions[0];

const eager = ['pytorch', 'pytorch-compile'];
const productsOfPyTorch = ['pytorch', 'pytorch-compile', 'pytorch-retained', 'pytorch-func'];

export interface Sizes {
  readonly rounds: number;
  readonly examples: number;
  readonly topExamples: number;
  readonly top: number;
  readonly tolerance: number;
  readonly projected: number;
  readonly basis: number;
  readonly size: number;
  /** Called with the eigenvalues relative to the largest, before a peer is asked for them. */
  onSpectrum(eigenvalues: Float64Array): void;
}

/** All tasks that compare with peers. */
export function tasksOf(sizes: Sizes): Task[] {
  const { rounds, examples, topExamples, top, tolerance, projected, basis, size, onSpectrum } = sizes;
  const sgd = (batchSize: 50 | 500): Task => {
    const steps = Math.floor(examples / batchSize);
    return {
      name: `sgd-${batchSize}`,
      title: `SGD step, S = ${batchSize}`,
      unit: 'ms/step',
      perRound: steps,
      operations: batchSize * withGradient,
      rounds,
      check: (result, reference) =>
        apart(result.subarray(0, steps), reference.subarray(0, steps), 1e-4, 'losses of the steps') ??
        apart(result.subarray(steps), reference.subarray(steps), 1e-3, 'change of the weights'),
      targets: [
        { sides: ['tensorflow'], ratio: 1 },
        { sides: eager, ratio: 1.2 },
        { sides: ['jax', 'jax-scan'], ratio: 3 },
      ],
    };
  };
  const hvp = (name: string, count: number): Task => ({
    name,
    title: `Hessian product, ${count.toLocaleString('en')} examples`,
    unit: 'ms',
    perRound: 1,
    rounds,
    check: (result, reference) => apart(result, reference, 1e-4, 'product'),
    targets: [
      { sides: productsOfPyTorch, ratio: 1.8 },
      { sides: ['jax', 'jax-scan'], ratio: 3 },
      { sides: ['tensorflow'], ratio: 0.95 },
    ],
  });
  const eigenpairs = (name: string, count: number): Task => ({
    name,
    title: `Top ${top} eigenpairs, ${count.toLocaleString('en')} examples`,
    unit: 's',
    perRound: 1,
    rounds: 1,
    compared: top,
    withProducts: true,
    onReference: (result) => onSpectrum(result.subarray(0, top)),
    check: (result, reference) => {
      const residual = Math.max(...result.subarray(top, 2 * top));
      if (residual > 1.2 * tolerance)
        return `a residual is ${residual.toExponential(1)} of the largest eigenvalue`;
      const shift = Math.max(...result.subarray(0, top).map((value, i) => Math.abs(value - reference[i]!)));
      return shift > tolerance
        ? `an eigenvalue differs by ${shift.toExponential(1)} of the largest`
        : undefined;
    },
    targets: [{ sides: [...productsOfPyTorch, 'curvlinops', 'tensorflow', 'jax'], ratio: 2 }],
  });
  return [
    sgd(50),
    sgd(500),
    {
      name: 'gradient',
      title: `Gradient, ${examples.toLocaleString('en')} examples`,
      unit: 'ms',
      perRound: 1,
      operations: examples * withGradient,
      rounds,
      check: (result, reference) => apart(result, reference, 1e-4, 'gradient'),
      targets: [],
    },
    hvp('hvp-1000', 1000),
    hvp('hvp-all', examples),
    {
      name: 'project',
      title: `Projection of ${projected.toLocaleString('en')} steps on ${basis} vectors`,
      unit: 's',
      perRound: 1,
      operations: 2 * projected * basis * size,
      rounds: Math.min(rounds, 5),
      sharing: 'operations',
      check: (result, reference) => apart(result, reference, 1e-6, 'projections'),
      targets: [],
    },
    eigenpairs('top-1000', 1000),
    eigenpairs('top', topExamples),
  ];
}

/** Says so if two vectors differ by more than `tolerance` of the length of the second. */
function apart(
  result: Float64Array,
  reference: Float64Array,
  tolerance: number,
  what: string,
): string | undefined {
  const distance = relativeDistance(result, reference);
  return distance <= tolerance ? undefined : `${what}: apart by ${distance.toExponential(1)}`;
}

/** |a - b| / |b|, NaN for other lengths. */
export function relativeDistance(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.NaN;
  let [difference, length] = [0, 0];
  for (const [i, value] of a.entries()) {
    difference += (value - b[i]!) ** 2;
    length += b[i]! ** 2;
  }
  return Math.sqrt(difference / length);
}
