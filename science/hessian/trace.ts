import type { TensorFlow } from '../../compute/tensorflow.ts';
import { checkWhole } from '../mismatch.ts';
import { RandomStream } from '../random.ts';
import { OrthonormalBasis } from './basis.ts';
import { dot, normalize, rounded } from './vectors.ts';

export interface TraceOptions {
  readonly tf: TensorFlow;
  /** P */
  readonly size: number;
  product(vector: Float32Array): Promise<Float64Array>;
  /** Orthonormal vectors (length P) along which the trace is known, such as eigenvectors; their share of it is `knownTrace`. */
  readonly known?: Iterable<Float32Array>;
  readonly knownTrace?: number;
  /** Random vectors whose images are added to the known ones; two products each. */
  readonly sketch: number;
  /** Random vectors for what is left; one product each, at least 2. */
  readonly probes: number;
  readonly seed: number;
  /** As of `lanczos`. */
  readonly lanes?: number;
  /** Results of products that were done before, in order, and a call for each one that is done. */
  readonly resume?: readonly number[];
  onSample?(sample: number): Promise<void>;
}

export interface TraceEstimate {
  readonly trace: number;
  readonly standardError: number;
  /** Exact share: the trace within the known and sketched vectors. */
  readonly within: number;
  readonly probes: number;
}

/**
 * Trace of a symmetric matrix by Hutch++ (Meyer, Musco, Musco and Woodruff 2021): exact within a subspace that holds the large eigenvalues,
 *
 *     tr A = tr Q^T A Q + tr (1 - Q Q^T) A (1 - Q Q^T),
 *
 * and by Hutchinson's estimator, with vectors of random signs, for the rest. Q spans the known vectors and the images of `sketch` random ones.
 * The standard error is that of the mean over the probes.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const product = async ([a, b, c]) => Float64Array.of(a, 2 * b, 3 * c);
 * const { trace } = await hutchPlusPlus({ tf, size: 3, product, sketch: 0, probes: 4, seed: 1 });
 * trace; // ~ 6
 */
export async function hutchPlusPlus(options: TraceOptions): Promise<TraceEstimate> {
  const { tf, size, product, sketch, probes, seed, resume = [], onSample } = options;
  checkWhole('probes', probes, [2, Number.POSITIVE_INFINITY], 'the standard error is that of their mean');
  const basis = new OrthonormalBasis(tf, size, options.lanes);
  for (const row of options.known ?? []) basis.push(row);
  let within = options.knownTrace ?? 0;
  for (let index = 0; index < sketch; index++) {
    const vector = await product(signs(seed, 'sketch', index, size));
    if (basis.orthogonalize(vector) === 0) continue;
    normalize(vector);
    const row = rounded(vector);
    basis.push(row);
    within += dot(row, await product(row));
  }
  const samples = [...resume];
  for (let index = samples.length; index < probes; index++) {
    const vector = Float64Array.from(signs(seed, 'probe', index, size));
    basis.orthogonalize(vector);
    const row = rounded(vector);
    samples.push(dot(row, await product(row)));
    await onSample?.(samples.at(-1)!);
  }
  basis.dispose();
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / probes;
  const squares = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0);
  return {
    trace: within + mean,
    standardError: Math.sqrt(squares / (probes - 1) / probes),
    within,
    probes,
  };
}

function signs(seed: number, purpose: string, index: number, size: number): Float32Array {
  const random = new RandomStream(seed, `trace/${purpose}`, index);
  return Float32Array.from({ length: size }, () => (random.uniform() < 0.5 ? -1 : 1));
}
