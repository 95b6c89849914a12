import { pooledErrors, weightedLine } from '../fit/weighted-line.ts';
import type { ParameterTensor } from '../models/model.ts';
import { count } from '../models/parameters.ts';
import { type Alignment, alignment, centre, exampleCovariance } from './covariance.ts';

/** A layer's place in the flat vector of weights. */
export interface Layer {
  /** What its tensors are named before their last part: `dense1` of dense1/kernel and dense1/bias. */
  readonly name: string;
  readonly first: number;
  /** Weights. */
  readonly size: number;
}

/** The layers of a network, in the order of its layout. */
export function layersOf(layout: readonly ParameterTensor[]): Layer[] {
  const layers: Layer[] = [];
  for (const { name: tensor, shape, offset } of layout) {
    const name = tensor.includes('/') ? tensor.slice(0, tensor.lastIndexOf('/')) : tensor;
    const last = layers.at(-1);
    if (last?.name === name) layers[layers.length - 1] = { ...last, size: last.size + count(shape) };
    else layers.push({ name, first: offset, size: count(shape) });
  }
  return layers;
}

type Product = (vector: Float32Array) => Promise<Float64Array>;

/** Products with the diagonal block of a matrix of `size` rows that belongs to a layer: vectors of the layer's own length. */
export function blockOf(product: Product, size: number, layer: Layer): Product {
  return async (vector) => {
    const whole = new Float32Array(size);
    whole.set(vector, layer.first);
    return (await product(whole)).slice(layer.first, layer.first + layer.size);
  };
}

/** C of a layer along the eigenvectors p_i of its block of H. */
export interface LayerNoise {
  /** p_i^T C p_i of a batch. */
  readonly variance: Float64Array;
  /** Its standard error if the examples are drawn from a population: from the scatter of the squares over the examples. */
  readonly standardError: Float64Array;
  readonly alignment: Alignment;
}

/**
 * Variances and alignment of the noise along k directions, from the gradients of all N examples along them.
 *
 * @param values N x k, row-major: p_i . g_n, or less any vector that is the same for all examples.
 * @param eigenvalues lambda_i of the k directions.
 * @param factor Variance of a batch's mean over that of an example (`batchVarianceFactor`).
 */
export function layerNoise(
  values: ArrayLike<number>,
  eigenvalues: ArrayLike<number>,
  factor: number,
): LayerNoise {
  const k = eigenvalues.length;
  const centred = centre(values, k);
  const covariance = exampleCovariance(centred).map((value) => factor * value);
  const examples = values.length / k;
  const variance = new Float64Array(k);
  const standardError = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    variance[i] = covariance[i * k + i]!;
    let squares = 0;
    for (let n = 0; n < examples; n++)
      squares += (factor * centred.values[n * k + i]! ** 2 - variance[i]!) ** 2;
    standardError[i] = Math.sqrt(squares / (examples - 1) / examples);
  }
  return { variance, standardError, alignment: alignment(covariance, eigenvalues) };
}

/** A power law p_i^T C p_i = c lambda_i^gamma. */
export interface NoiseExponent {
  /** gamma */
  readonly exponent: number;
  readonly standardError: number;
  /** Directions that it is fitted to. */
  readonly directions: number;
  /** A point (lambda, variance) that the fitted line goes through: the weighted means of their logarithms. */
  readonly eigenvalue: number;
  readonly variance: number;
}

/**
 * Slope of ln variance against ln lambda by weighted least squares over the directions with lambda > `least` (and a variance above zero). A direction's weight is that of its
 * relative standard error, pooled over its neighbours. The exponent's standard error is enlarged where directions scatter by more than their errors. NaN for fewer than
 * three directions.
 */
export function noiseExponent(
  eigenvalues: ArrayLike<number>,
  { variance, standardError }: Pick<LayerNoise, 'variance' | 'standardError'>,
  least: number,
): NoiseExponent {
  const rows = Array.from(variance, (value, i) => ({
    x: Math.log(eigenvalues[i]!),
    y: Math.log(value),
    sigma: standardError[i]! / value,
    isFit: eigenvalues[i]! > Math.max(least, 0) && value > 0,
  }))
    .filter(({ isFit }) => isFit)
    .sort((a, b) => a.x - b.x);
  const [x, y] = [rows.map((row) => row.x), rows.map((row) => row.y)];
  const sigma = pooledErrors(rows.map((row) => row.sigma));
  const { slope, slopeError } = weightedLine(x, y, sigma);
  const total = sigma.reduce((sum, error) => sum + error ** -2, 0);
  const meanOf = (of: readonly number[]) =>
    Math.exp(of.reduce((sum, value, i) => sum + value * sigma[i]! ** -2, 0) / total);
  return {
    exponent: slope,
    standardError: slopeError,
    directions: rows.length,
    eigenvalue: meanOf(x),
    variance: meanOf(y),
  };
}
