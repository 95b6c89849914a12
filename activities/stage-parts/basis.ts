import { findMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { Basis } from '../../science/projection.ts';

/** That eigenpairs are fewer than were asked for, or that others may be missing between them (`partial: allow`); or what an artifact computed from them says of it. */
export function shortcomingOf(table: ArrowTable): string | undefined {
  const told = findMetadata(table, 'shortcoming');
  const { asked, outside } = findMetadata(table, 'hessian') ?? {};
  if (told !== undefined || outside?.known !== 'nothing') return told;
  return `The basis has ${table.rows} of the ${asked} first eigenpairs, and others between them may be missing: \`partial: allow\` of its stage.`;
}

/** The same, to be told further on in metadata; the stage that reads the basis also notes it. */
export function toldShortcoming(
  table: ArrowTable,
  { note }: { note(text: string): void },
): string | undefined {
  const shortcoming = shortcomingOf(table);
  if (shortcoming !== undefined) note(shortcoming);
  return shortcoming;
}

/** What a series of projections on these eigenpairs says of itself, besides how it was trained. */
export function projectedOn(eigenpairs: ArrowTable, context: { note(text: string): void }) {
  return {
    eigenvalues: [...eigenpairs.numbers('eigenvalue')],
    shortcoming: toldShortcoming(eigenpairs, context),
    reference: 'theta is relative to the first recorded weights',
  };
}

/** The vectors of an `eigenpairs` artifact. */
export function readBasis(eigenpairs: ArrowTable): Basis {
  const [batch] = eigenpairs.floatVectors('vector');
  const { size } = batch!;
  const vectors = new Float32Array(eigenpairs.rows * size);
  for (const { firstRow, values } of eigenpairs.floatVectors('vector')) vectors.set(values, firstRow * size);
  return { vectors, count: eigenpairs.rows, size };
}
