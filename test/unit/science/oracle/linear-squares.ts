import { Matrix } from 'ml-matrix';
import { type Examples, standardize } from '../../../../science/examples.ts';
import type { Model } from '../../../../science/models/index.ts';

/**
 * Gradient and dense Hessian, in double precision, of a linear model's loss over a batch: the mean of sum_c (z_c - [c = y])^2 / 2 plus l2 * (sum of squared kernel
 * weights), with logits z = W^T x + b. In W and b it is a quadratic, the same for each class.
 */
export function squaredErrorOf(
  { layout, size }: Pick<Model, 'layout' | 'size'>,
  data: Examples,
  weights: ArrayLike<number>,
  l2: number,
  batch: Iterable<number>,
): { readonly gradient: Float64Array; readonly hessian: Matrix } {
  const inputs = standardize(data, 'scale');
  const pixels = inputs.length / data.examples;
  const kernel = layout.find((tensor) => tensor.kernel)!;
  const bias = layout.find((tensor) => !tensor.kernel)!;
  const [, classes] = kernel.shape as [number, number];
  const place = (j: number, c: number) => (j < pixels ? kernel.offset + j * classes + c : bias.offset + c);
  const gradient = new Float64Array(size);
  const hessian = Matrix.zeros(size, size);
  const examples = [...batch];
  for (const n of examples) {
    const x = [...inputs.subarray(n * pixels, (n + 1) * pixels), 1];
    for (let c = 0; c < classes; c++) {
      const z = x.reduce((sum, value, j) => sum + value * weights[place(j, c)]!, 0);
      const error = z - (data.labels[n] === c ? 1 : 0);
      for (const [j, a] of x.entries()) {
        gradient[place(j, c)]! += (error * a) / examples.length;
        for (const [k, b] of x.entries()) {
          const [row, column] = [place(j, c), place(k, c)];
          hessian.set(row, column, hessian.get(row, column) + (a * b) / examples.length);
        }
      }
    }
  }
  for (let i = kernel.offset; i < kernel.offset + pixels * classes; i++) {
    gradient[i]! += 2 * l2 * weights[i]!;
    hessian.set(i, i, hessian.get(i, i) + 2 * l2);
  }
  return { gradient, hessian };
}
