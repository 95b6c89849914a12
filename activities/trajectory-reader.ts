import { totalmem } from 'node:os';
import { InputError } from '../artifacts/errors.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store.ts';
import type { ArrowTable } from '../artifacts/table.ts';
import type { TrajectoryRows } from '../science/pca/covariance.ts';

/** Finds the parts that a trajectory's manifest lists, in order. Throws `InputError` if the store lacks one. */
export async function findParts(
  store: Store,
  manifest: ArrowTable,
): Promise<{ ref: ArtifactRef; rows: number }[]> {
  const rows = manifest.numbers('rows');
  const parts: { ref: ArtifactRef; rows: number }[] = [];
  for (const [index, sha256] of manifest.strings('sha256').entries()) {
    const ref = await store.find(sha256, 'trajectory-part');
    if (ref === undefined) {
      throw new InputError(
        `Part ${index} of the trajectory, ${sha256.slice(0, 12)}, is not in the store ${store.uri}.`,
        'Run the pipeline again: the record stage writes it anew.',
      );
    }
    parts.push({ ref, rows: rows[index]! });
  }
  return parts;
}

/** Rows between two breaths. */
const rowsPerChunk = 256;

/**
 * The rows of a trajectory for many passes. Parts stay in memory if all of them take less than a quarter of it, and are read again on each pass
 * otherwise. `breathe` is awaited every few rows.
 */
export async function trajectoryRows(
  store: Store,
  manifest: ArrowTable,
  size: number,
  breathe: () => Promise<void>,
): Promise<TrajectoryRows> {
  const parts = await findParts(store, manifest);
  const bytes = parts.reduce((sum, { ref }) => sum + ref.bytes, 0);
  const kept = bytes < totalmem() / 4 ? new Map<string, ArrowTable>() : undefined;
  const open = async (ref: ArtifactRef) => {
    const table = kept?.get(ref.sha256) ?? (await store.open(ref));
    kept?.set(ref.sha256, table);
    return table;
  };
  return {
    steps: parts.reduce((sum, { rows }) => sum + rows, 0),
    size,
    async *batches() {
      for (const { ref } of parts) {
        for (const { values } of (await open(ref)).floatVectors('weights')) {
          for (let start = 0; start < values.length; start += rowsPerChunk * size) {
            yield { weights: values.subarray(start, start + rowsPerChunk * size) };
            await breathe();
          }
        }
      }
    },
  };
}
