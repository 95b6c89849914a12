import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { Basis } from '../../science/projection.ts';

/** What `shortcomingOf` says, in the metadata of all that was computed from such a basis. */
export const shortcomingKey = 'epochal.shortcoming';

/** That eigenpairs are fewer than were asked for, or that others may be missing between them (`partial: allow`); or what an artifact computed from them says of it. */
export function shortcomingOf({ metadata, rows }: ArrowTable): string | undefined {
  const { [shortcomingKey]: told, 'epochal.hessian': hessian } = metadata;
  if (told !== undefined || hessian === undefined) return told;
  const { asked, outside } = JSON.parse(hessian) as { asked: number; outside: { known: string } };
  if (outside.known !== 'nothing') return undefined;
  return `The basis has ${rows} of the ${asked} first eigenpairs, and others between them may be missing: \`partial: allow\` of its stage.`;
}

/** Metadata that tells of it further on, with a note of the stage that reads the basis. */
export function toldShortcoming(
  table: ArrowTable,
  { note }: { note(text: string): void },
): Record<string, string> {
  const shortcoming = shortcomingOf(table);
  if (shortcoming === undefined) return {};
  note(shortcoming);
  return { [shortcomingKey]: shortcoming };
}

/** The vectors of an `eigenpairs` artifact. */
export function readBasis(eigenpairs: ArrowTable): Basis {
  const [batch] = eigenpairs.floatVectors('vector');
  const { size } = batch!;
  const vectors = new Float32Array(eigenpairs.rows * size);
  for (const { firstRow, values } of eigenpairs.floatVectors('vector')) vectors.set(values, firstRow * size);
  return { vectors, count: eigenpairs.rows, size };
}
