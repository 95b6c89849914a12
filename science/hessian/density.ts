import type { TensorFlow } from '../../compute/tensorflow.ts';
import { RandomStream } from '../random.ts';
import { OrthonormalBasis } from './basis.ts';
import { breakdown, lanczosStep } from './step.ts';
import { tridiagonalEigen } from './tridiagonal.ts';
import { normalize, rounded } from './vectors.ts';

/** A Gauss quadrature rule for the spectral density: node j carries the share `weights[j]` of the eigenvalues. Shares of a rule sum to 1. */
export interface QuadratureRule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

export interface DensityOptions {
  readonly tf: TensorFlow;
  /** P */
  readonly size: number;
  product(vector: Float32Array): Promise<Float64Array>;
  /** Lanczos steps of each probe. */
  readonly steps: number;
  readonly seed: number;
  /** As of `lanczos`. */
  readonly lanes?: number;
}

/**
 * Spectral density by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017): the rule of one random start vector,
 *
 *     sum_j w_j f(theta_j)  estimates  tr f(A) / P,
 *
 * with the Ritz values theta_j and the squared first components w_j of the eigenvectors of the tridiagonal matrix. It is exact for the start
 * vector's own measure if f is a polynomial of degree below 2 * steps. Average the rules of several probes.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const product = async ([a, b]) => Float64Array.of(a, 5 * b);
 * const { nodes } = await quadratureRule({ tf, size: 2, product, steps: 2, seed: 1 }, 0);
 * nodes[0]; // ~ 5
 */
export async function quadratureRule(options: DensityOptions, probe: number): Promise<QuadratureRule> {
  const { tf, size, product, steps, seed } = options;
  const random = new RandomStream(seed, 'density', probe);
  const start = Float64Array.from({ length: size }, () => random.normal());
  normalize(start);
  const basis = new OrthonormalBasis(tf, size, options.lanes);
  const alphas: number[] = [];
  const betas: number[] = [];
  let vector = rounded(start);
  while (alphas.length < Math.min(steps, size)) {
    const { alpha, rest, length } = await lanczosStep(basis, vector, betas.at(-1), product);
    alphas.push(alpha);
    const scale = Math.max(...alphas.map(Math.abs), ...betas);
    if (length <= breakdown * scale) break;
    betas.push(length);
    vector = rest;
  }
  basis.dispose();
  const { values, components } = tridiagonalEigen(alphas, betas, [0]);
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
  return { nodes: order.map((i) => values[i]!), weights: order.map((i) => components[i]! ** 2) };
}
