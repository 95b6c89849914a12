import { RandomStream } from '../../../../science/random.ts';

/**
 * Least squares with N examples: g_n = x_n (x_n . theta - y_n), so that H = mean x_n x_n^T is exactly diagonal with the given eigenvalues, the least loss lies at theta = 0,
 * and the gradients of the examples do change with the weights: nothing but the quadratic loss and SGD itself, with no formula for its noise.
 */
export class LeastSquares {
  readonly examples: number;
  readonly eigenvalues: Float64Array;
  /** N x d, row-major. */
  readonly inputs: Float64Array;
  /** y_n, of variance 1. */
  readonly targets: Float64Array;

  constructor(examples: number, eigenvalues: Float64Array, seed: number) {
    this.examples = examples;
    this.eigenvalues = eigenvalues;
    const d = eigenvalues.length;
    const random = new RandomStream(seed, 'least squares');
    const columns: Float64Array[] = [];
    for (let j = 0; j <= d; j++) {
      const column = Float64Array.from({ length: examples }, () => random.normal());
      for (const other of [...columns, ...columns]) {
        const along = dot(other, column) / examples;
        for (let n = 0; n < examples; n++) column[n]! -= along * other[n]!;
      }
      const scale = Math.sqrt(examples / dot(column, column));
      columns.push(column.map((value) => scale * value));
    }
    this.inputs = new Float64Array(examples * d);
    for (let n = 0; n < examples; n++)
      for (let j = 0; j < d; j++) this.inputs[n * d + j] = columns[j]![n]! * Math.sqrt(eigenvalues[j]!);
    this.targets = columns[d]!;
  }

  /** x_n . theta - y_n */
  residual(n: number, theta: Float64Array): number {
    const d = theta.length;
    let residual = -this.targets[n]!;
    for (let j = 0; j < d; j++) residual += this.inputs[n * d + j]! * theta[j]!;
    return residual;
  }

  /** theta after every step of the recorded epochs, steps x d, with examples drawn without replacement. */
  run(
    { learningRate, momentum, batchSize }: { learningRate: number; momentum: number; batchSize: number },
    { warmup, epochs, seed }: { warmup: number; epochs: number; seed: number },
  ): Float64Array {
    const d = this.eigenvalues.length;
    const m = this.examples / batchSize;
    const [theta, velocity] = [new Float64Array(d), new Float64Array(d)];
    const recorded = new Float64Array(epochs * m * d);
    for (let epoch = 0; epoch < warmup + epochs; epoch++) {
      const order = new RandomStream(seed, 'order', epoch).permutation(this.examples);
      for (let batch = 0; batch < m; batch++) {
        const gradient = new Float64Array(d);
        for (const n of order.subarray(batch * batchSize, (batch + 1) * batchSize)) {
          const residual = this.residual(n, theta);
          for (let j = 0; j < d; j++) gradient[j]! += residual * this.inputs[n * d + j]!;
        }
        for (let j = 0; j < d; j++) {
          velocity[j] = momentum * velocity[j]! - (learningRate * gradient[j]!) / batchSize;
          theta[j]! += velocity[j]!;
        }
        if (epoch >= warmup) recorded.set(theta, ((epoch - warmup) * m + batch) * d);
      }
    }
    return recorded;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += a[n]! * b[n]!;
  return sum;
}
