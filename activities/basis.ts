import type { ArrowTable } from '../artifacts/table.ts';
import type { Basis } from '../science/projection.ts';

/** The vectors of an `eigenpairs` artifact. */
export function readBasis(eigenpairs: ArrowTable): Basis {
  const [batch] = eigenpairs.floatVectors('vector');
  const { size } = batch!;
  const vectors = new Float32Array(eigenpairs.rows * size);
  for (const { firstRow, values } of eigenpairs.floatVectors('vector')) vectors.set(values, firstRow * size);
  return { vectors, count: eigenpairs.rows, size };
}
