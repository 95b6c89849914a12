import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { standardize } from '../../../../science/examples.ts';
import type { Eigenpairs } from '../../../../science/hessian/certify.ts';
import { lanczos } from '../../../../science/hessian/lanczos.ts';
import { createHessianProduct, type HessianProductOptions } from '../../../../science/hessian/product.ts';
import { RandomStream } from '../../../../science/random.ts';
import { zoo } from '../models/zoo.ts';
import { denseHessian } from '../oracle/double-network.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const l2 = 2e-3;
const top = 8;

describe.each(zoo(12))('the Hessian of $name', ({ model, network, data, weights }) => {
  let dense: Float64Array[];
  /** Of the dense matrix, largest first. */
  let exact: { value: number; vector: number[] }[];

  beforeAll(() => {
    const labelled = { inputs: standardize(data, 'scale'), labels: data.labels };
    dense = denseHessian(network, Float64Array.from(weights), labelled, l2);
    const solved = new EigenvalueDecomposition(new Matrix(dense.map((row) => [...row])), {
      assumeSymmetric: true,
    });
    exact = solved.realEigenvalues
      .map((value, i) => ({ value, vector: solved.eigenvectorMatrix.getColumn(i) }))
      .sort((a, b) => b.value - a.value);
  });

  test.each([12, 5])('has the products of the dense matrix, in batches of %i examples', async (batchSize) => {
    const hessian = hessianOf({ model, data, weights, batchSize });
    const random = new RandomStream(1, 'direction');
    const vector = Float32Array.from({ length: model.size }, () => random.normal());
    const image = await hessian.product(vector);
    hessian.dispose();
    const expected = dense.map((row) => dot(row, vector));
    expect(distance(image, expected) / norm(expected)).toBeLessThan(1e-5);
  });

  test('has the largest eigenpairs of the dense matrix, with the residuals it claims', async () => {
    const hessian = hessianOf({ model, data, weights });
    const pairs: Eigenpairs = await lanczos({
      tf,
      size: model.size,
      product: (vector) => hessian.product(vector),
      top,
      tolerance: 1e-5,
      maxProducts: 200,
      seed: 0,
    });
    hessian.dispose();
    expect(pairs.converged).toBe(top);
    expect(pairs.orthonormality).toBeLessThan(1e-6);
    const largest = exact[0]!.value;
    for (let k = 0; k < top; k++) {
      const value = pairs.eigenvalues[k]!;
      const vector = pairs.vectors.subarray(k * model.size, (k + 1) * model.size);
      expect(Math.abs(value / exact[k]!.value - 1)).toBeLessThan(1e-4);

      const image = dense.map((row) => dot(row, vector));
      const residual = distance(
        image,
        Float64Array.from(vector, (component) => value * component),
      );
      expect(Math.abs(residual - pairs.residuals[k]!)).toBeLessThan(5e-6 * largest);

      const gap = Math.min(
        ...exact.filter((_, i) => i !== k).map((other) => Math.abs(other.value - exact[k]!.value)),
      );
      const along = dot(exact[k]!.vector, vector);
      const sine = norm(
        Float64Array.from(vector, (component, i) => component - along * exact[k]!.vector[i]!),
      );
      expect(sine).toBeLessThan((2e-5 * largest) / gap + 1e-5);
    }
  });
});

test('leaves no tensor behind', async () => {
  const [{ model, data, weights }] = zoo(12) as [ReturnType<typeof zoo>[number]];
  const before = tf.memory().numTensors;
  const hessian = hessianOf({ model, data, weights, batchSize: 7 });
  for (let i = 0; i < 20; i++) await hessian.product(weights);
  hessian.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

function hessianOf(of: Pick<HessianProductOptions, 'model' | 'data' | 'weights' | 'batchSize'>) {
  return createHessianProduct({ tf, standardize: 'scale', loss: 'cross-entropy', l2, ...of });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return norm(Float64Array.from(a, (value, i) => value - b[i]!));
}
