import { RandomStream } from '../../../../science/random.ts';
import { epochBatches, type Sampling } from '../../../../science/sampling.ts';

export interface QuadraticRun {
  readonly learningRate: number;
  readonly momentum: number;
  readonly eigenvalues: readonly number[];
  readonly batchesPerEpoch: number;
  readonly batchSize: number;
  readonly sampling: Sampling;
  readonly blockSize?: number;
  readonly warmup: number;
  readonly epochs: number;
  readonly seed: number;
  /** Standard deviation of the examples' gradients in each direction; default: root of the eigenvalue, as for C proportional to H. */
  readonly noise?: readonly number[];
}

/**
 * SGD with momentum, equation (1), on the mean of N = M S losses lambda theta^2 / 2 + xi_n theta with sum_n xi_n = 0: the finite sum
 * over examples itself, with no formula for its noise. Returns theta after every step of the recorded epochs, steps x directions.
 */
export function runQuadratic(run: QuadraticRun): { theta: Float64Array; steps: number } {
  const {
    learningRate,
    momentum,
    eigenvalues,
    batchesPerEpoch: m,
    batchSize,
    sampling,
    warmup,
    epochs,
    seed,
  } = run;
  const k = eigenvalues.length;
  const examples = m * batchSize;
  const gradients = eigenvalues.map((eigenvalue, i) => {
    const random = new RandomStream(seed, 'examples', i);
    const scale = run.noise?.[i] ?? Math.sqrt(eigenvalue);
    const xi = Float64Array.from({ length: examples }, () => scale * random.normal());
    const mean = xi.reduce((sum, x) => sum + x, 0) / examples;
    return xi.map((x) => x - mean);
  });
  const kept = new RandomStream(seed, 'permutation', 0).permutation(examples);
  const theta = new Float64Array(epochs * m * k);
  const weights = new Float64Array(k);
  const velocities = new Float64Array(k);
  for (let epoch = -warmup; epoch < epochs; epoch++) {
    const random = new RandomStream(seed, 'order', epoch + warmup);
    const inBlocksOrPairs = sampling === 'block-reshuffling' || sampling === 'paired-reversal';
    const fresh = inBlocksOrPairs
      ? epochBatches(sampling, { ...run, examples }, epoch + warmup)
      : sampling === 'without-replacement'
        ? random.permutation(examples)
        : kept;
    for (let b = 0; b < m; b++) {
      const batch = Array.from({ length: batchSize }, (_, s) =>
        sampling === 'with-replacement' ? random.below(examples) : fresh[b * batchSize + s]!,
      );
      for (let i = 0; i < k; i++) {
        let noise = 0;
        for (const n of batch) noise += gradients[i]![n]!;
        const gradient = eigenvalues[i]! * weights[i]! + noise / batchSize;
        velocities[i] = momentum * velocities[i]! - learningRate * gradient;
        weights[i]! += velocities[i]!;
        if (epoch >= 0) theta[(epoch * m + b) * k + i] = weights[i]!;
      }
    }
  }
  return { theta, steps: epochs * m };
}
