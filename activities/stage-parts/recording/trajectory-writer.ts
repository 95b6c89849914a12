import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { StageContext } from '../../kinds/stage.ts';

/** Parts of a trajectory are about this large: big enough to stream well, small enough to redo. */
export const partBytes = 256e6;

/** Recorded steps one after another, not yet written. */
export interface RecordedSteps {
  readonly firstStep: number;
  /** Steps from one row to the next, if not one. */
  readonly every?: number;
  readonly epochs: Int32Array;
  readonly losses: Float32Array;
  /** rows x P */
  readonly weights: Float32Array;
}

/** A written part of a trajectory, as its manifest lists it. */
export interface TrajectoryPart {
  readonly ref: ArtifactRef;
  readonly rows: number;
  readonly firstStep: number;
}

/** How an epoch of `steps` steps of `size` weights is laid out in parts: several epochs a part, or several parts an epoch. */
export function partLayout(steps: number, size: number): { epochsPerPart: number; rowsPerPart: number } {
  const epochBytes = steps * (size * 4 + 16);
  if (epochBytes <= partBytes)
    return { epochsPerPart: Math.floor(partBytes / epochBytes), rowsPerPart: Number.POSITIVE_INFINITY };
  return { epochsPerPart: 1, rowsPerPart: Math.ceil(steps / Math.ceil(epochBytes / partBytes)) };
}

/** Writes recorded steps as one or more `trajectory-part` artifacts of at most `rowsPerPart` rows. */
export async function writeParts(
  context: Pick<StageContext<unknown>, 'write'>,
  recorded: readonly RecordedSteps[],
  rowsPerPart: number,
  metadata: Readonly<Record<string, string>>,
): Promise<TrajectoryPart[]> {
  const parts: TrajectoryPart[] = [];
  for (const group of inGroups(recorded, rowsPerPart)) {
    const rows = group.reduce((sum, steps) => sum + steps.losses.length, 0);
    const ref = await context.write('trajectory-part', metadata, async (writer) => {
      for (const steps of group) {
        await writer.append({
          step: Float64Array.from(steps.losses, (_, row) => stepOf(steps, row)),
          epoch: steps.epochs,
          batch_loss: steps.losses,
          weights: steps.weights,
        });
      }
    });
    parts.push({ ref, rows, firstStep: group[0]!.firstStep });
  }
  return parts;
}

/** Writes the `trajectory` artifact: the manifest that lists the parts in order. */
export function writeManifest(
  context: Pick<StageContext<unknown>, 'write'>,
  parts: readonly TrajectoryPart[],
  metadata: Readonly<Record<string, string>>,
): Promise<ArtifactRef> {
  return context.write('trajectory', metadata, (writer) =>
    writer.append({
      part: parts.map((_, index) => index),
      sha256: parts.map((part) => part.ref.sha256),
      bytes: parts.map((part) => part.ref.bytes),
      rows: parts.map((part) => part.rows),
      first_step: parts.map((part) => part.firstStep),
    }),
  );
}

/**
 * Each `every`-th of the recorded steps, as a copy of its own: those whose number among all recorded ones, of which `before` came before these, is a multiple of it.
 * Undefined if there is none.
 */
export function thinned(steps: RecordedSteps, every: number, before: number): RecordedSteps | undefined {
  const rows = steps.losses.length;
  const first = (every - (before % every)) % every;
  if (first >= rows) return undefined;
  const size = steps.weights.length / rows;
  const kept = Array.from({ length: Math.ceil((rows - first) / every) }, (_, i) => first + i * every);
  const weights = new Float32Array(kept.length * size);
  for (const [row, from] of kept.entries())
    weights.set(steps.weights.subarray(from * size, (from + 1) * size), row * size);
  return {
    firstStep: steps.firstStep + first,
    every,
    epochs: Int32Array.from(kept, (from) => steps.epochs[from]!),
    losses: Float32Array.from(kept, (from) => steps.losses[from]!),
    weights,
  };
}

/** Splits a run of recorded chunks into groups of at most `rowsPerPart` rows, cutting chunks where it must. */
function* inGroups(recorded: readonly RecordedSteps[], rowsPerPart: number): Generator<RecordedSteps[]> {
  let group: RecordedSteps[] = [];
  let rows = 0;
  for (const steps of recorded) {
    let from = 0;
    while (from < steps.losses.length) {
      const until = Math.min(steps.losses.length, from + rowsPerPart - rows);
      group.push(slice(steps, from, until));
      rows += until - from;
      from = until;
      if (rows === rowsPerPart) {
        yield group;
        group = [];
        rows = 0;
      }
    }
  }
  if (rows > 0) yield group;
}

function stepOf({ firstStep, every = 1 }: RecordedSteps, row: number): number {
  return firstStep + row * every;
}

function slice(steps: RecordedSteps, from: number, until: number): RecordedSteps {
  const size = steps.weights.length / steps.losses.length;
  return {
    ...steps,
    firstStep: stepOf(steps, from),
    epochs: steps.epochs.subarray(from, until),
    losses: steps.losses.subarray(from, until),
    weights: steps.weights.subarray(from * size, until * size),
  };
}
