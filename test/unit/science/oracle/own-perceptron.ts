import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Examples of two numbers each, and the class of each, one of three. */
export interface Points {
  readonly inputs: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

/** The mean cross-entropy of tanh(x W + b) V + c, with four hidden units, in double precision; theta is W, b, V, c. */
export function perceptronLoss({ inputs, labels }: Points, theta: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < labels.length; n++) {
    const hidden = Array.from({ length: 4 }, (_, j) =>
      Math.tanh(inputs[2 * n]! * theta[j]! + inputs[2 * n + 1]! * theta[4 + j]! + theta[8 + j]!),
    );
    const logits = Array.from({ length: 3 }, (_, k) =>
      hidden.reduce((total, h, j) => total + h * theta[12 + 3 * j + k]!, theta[24 + k]!),
    );
    sum += Math.log(logits.reduce((total, z) => total + Math.exp(z), 0)) - logits[labels[n]!]!;
  }
  return sum / labels.length;
}

/** All second derivatives by central differences, to about 1e-7. */
export function secondDifferences(f: (theta: Float64Array) => number, at: ArrayLike<number>): Matrix {
  const h = 1e-4;
  const moved = (i: number, di: number, j: number, dj: number) => {
    const theta = Float64Array.from(at);
    theta[i]! += di;
    theta[j]! += dj;
    return f(theta);
  };
  const mixed = (i: number, j: number) =>
    (moved(i, h, j, h) - moved(i, h, j, -h) - moved(i, -h, j, h) + moved(i, -h, j, -h)) / (4 * h * h);
  const indices = Array.from({ length: at.length }, (_, i) => i);
  return new Matrix(indices.map((i) => indices.map((j) => mixed(i, j))));
}

/** Largest first. */
export function eigenvaluesOf(matrix: Matrix): number[] {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues.sort((a, b) => b - a);
}
