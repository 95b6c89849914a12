import { deserialize } from 'node:v8';
import type { SgdState } from '../../../science/sgd.ts';
import type { StageContext } from '../../kinds/stage.ts';
import type { RecordedSteps, TrajectoryPart } from './trajectory-writer.ts';

/** Everything that recording needs to go on after an epoch, apart from the rows that are not in a part yet. */
export interface RecordCheckpoint {
  readonly state: SgdState;
  /** Epochs done by this stage, warm-up included. */
  readonly epochsDone: number;
  readonly parts: readonly TrajectoryPart[];
  /** Checkpoint files with the rows that are not in a part yet. */
  readonly pending: readonly string[];
  /** Sum of the recorded weights in double precision, for their mean. */
  readonly sum: Float64Array;
  /** Recorded steps, kept or not. */
  readonly rows: number;
  /** The first recorded weights, if series are recorded. */
  readonly reference?: Float32Array;
}

export const checkpointName = 'after-epoch';

/** The last checkpoint with all it needs; undefined if there is none, or any of its files or parts is gone, or of the series that are recorded (`hasSeries`). */
export async function restore(
  context: Pick<StageContext<unknown>, 'checkpoint' | 'store'>,
  hasSeries: (epochsDone: number) => Promise<boolean>,
): Promise<{ checkpoint: RecordCheckpoint; rows: RecordedSteps[] } | undefined> {
  const bytes = await context.checkpoint.read(checkpointName);
  if (bytes === undefined) return undefined;
  const checkpoint = deserialize(bytes) as RecordCheckpoint;
  const rows: RecordedSteps[] = [];
  for (const name of checkpoint.pending) {
    const saved = await context.checkpoint.read(name);
    if (saved === undefined) return undefined;
    rows.push(...(deserialize(saved) as RecordedSteps[]));
  }
  for (const { ref } of checkpoint.parts) {
    if (!(await context.store.verify(ref))) return undefined;
  }
  return (await hasSeries(checkpoint.epochsDone)) ? { checkpoint, rows } : undefined;
}
