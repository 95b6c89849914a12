import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { DataDigests, TrainingContext } from '../../../artifacts/arrow/training-context.ts';
import { InputError } from '../../../artifacts/errors.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { TrainWith } from '../../../schemas/types.ts';
import type { Model } from '../../../science/models/index.ts';
import type { StageContext } from '../../kinds/stage.ts';
import type { TrainedState } from './starting-state.ts';

/** A state along a training, and eta of the epoch that ended in it: of the first epoch, for the start. */
interface KeptState extends TrainedState {
  readonly learningRate: number;
}

/**
 * The epochs of a training from epoch `first` to `last` after which its state is kept, in order. Throws `InputError` for an epoch that it does not
 * come by.
 */
export function keptEpochs(keep: TrainWith['keep'], first: number, last: number): number[] {
  if (keep === undefined) return [];
  if (!Array.isArray(keep)) {
    const epochs = Array.from({ length: last - first + 1 }, (_, done) => first + done);
    return epochs.filter((epoch) => epoch === first || epoch === last || epoch % keep.every === 0);
  }
  const beyond = keep.find((epoch) => epoch < first || epoch > last);
  if (beyond !== undefined) {
    throw new InputError(
      `keep names epoch ${beyond}, but this training goes from epoch ${first} to ${last}.`,
      `Name epochs from ${first} to ${last}.`,
      'keep',
    );
  }
  return keep.toSorted((a, b) => a - b);
}

/** The states that a training keeps, each a file of its checkpoint until they become one artifact. */
export interface KeptStates {
  /** True if all that were to be kept up to this epoch are there, and whole. */
  has(epoch: number): Promise<boolean>;
  /** Keeps this state if it is one of those. */
  add(state: TrainedState, learningRate: number): Promise<void>;
  /** The artifact, a record batch for each state. */
  write(training: TrainingContext, model: Model, data: DataDigests): Promise<ArtifactRef>;
}

export function keptStates(
  { checkpoint, write }: Pick<StageContext<unknown>, 'checkpoint' | 'write'>,
  epochs: readonly number[],
): KeptStates {
  const nameOf = (epoch: number) => `kept-${String(epoch).padStart(6, '0')}`;
  return {
    async has(epoch) {
      for (const kept of epochs)
        if (kept <= epoch && (await checkpoint.read(nameOf(kept))) === undefined) return false;
      return true;
    },
    async add({ weights, velocity, step, epoch }, learningRate) {
      if (!epochs.includes(epoch)) return;
      const state: KeptState = { weights, velocity, step, epoch, learningRate };
      await checkpoint.write(nameOf(epoch), serialize(state));
    },
    write(training, model, data) {
      const metadata = writeMetadata({ training, data, layout: model.layout });
      return write('states', metadata, async (writer) => {
        for (const kept of epochs) {
          const state = deserialize((await checkpoint.read(nameOf(kept)))!) as KeptState;
          const { weights, velocity, step, epoch, learningRate } = state;
          await writer.append({
            ...{ step: [step], epoch: [epoch], learning_rate: [learningRate] },
            ...{ weights, velocity },
          });
        }
      });
    },
  };
}
