import { Matrix, QrDecomposition } from 'ml-matrix';
import { RandomStream } from '../../../../science/random.ts';

/** A dense symmetric matrix with these eigenvalues and random eigenvectors, as a product in double precision that counts its calls. */
export function matrixWith(eigenvalues: readonly number[]) {
  const size = eigenvalues.length;
  const random = new RandomStream(2, 'matrix');
  const { orthogonalMatrix } = new QrDecomposition(
    new Matrix(Array.from({ length: size }, () => Array.from({ length: size }, () => random.normal()))),
  );
  const matrix = orthogonalMatrix.mmul(Matrix.diag([...eigenvalues])).mmul(orthogonalMatrix.transpose());
  const rows = matrix.to2DArray();
  const counter = { products: 0 };
  const product = async (vector: Float32Array) => {
    counter.products++;
    return Float64Array.from(rows, (row) => row.reduce((sum, entry, i) => sum + entry * vector[i]!, 0));
  };
  return { size, matrix, product, counter };
}
