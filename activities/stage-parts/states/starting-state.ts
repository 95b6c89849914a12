import type { TensorPlace } from '../../../artifacts/arrow/measurement-contexts.ts';
import { readMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../../artifacts/arrow/table.ts';
import { InputError } from '../../../artifacts/errors.ts';
import type { Model } from '../../../science/models/index.ts';
import type { SgdState } from '../../../science/sgd.ts';

/** Where a training stands after some epochs. */
export interface TrainedState extends SgdState {
  /** Epochs done. */
  readonly epoch: number;
}

/** Row `row` of a `state` or of `states`. */
export function trainedStateIn(table: ArrowTable, row = 0): TrainedState {
  return {
    weights: table.floatVector('weights', row).slice(),
    velocity: table.floatVector('velocity', row).slice(),
    step: table.numbers('step')[row]!,
    epoch: table.numbers('epoch')[row]!,
  };
}

/**
 * What a training begins with: all of `from` (weights, velocity, step and epoch), so that it goes on as if it had not been interrupted, since batches and learning rate depend on
 * the epoch alone; or fresh weights from the seed. Throws `InputError` for a state of another network.
 */
export function startingState(model: Model, seed: number, from: ArrowTable | undefined): TrainedState {
  if (from === undefined)
    return { weights: model.initialize(seed), velocity: new Float32Array(model.size), step: 0, epoch: 0 };
  checkSameLayout(readMetadata(from, 'layout'), model.layout);
  return trainedStateIn(from);
}

type Place = Pick<TensorPlace, 'name' | 'shape'>;

/** The tensors of a state are those of the network that goes on from it. Throws `InputError` naming the first that is not. */
export function checkSameLayout(state: readonly Place[], network: readonly Place[]): void {
  const words = (place: Place | undefined) =>
    place === undefined ? 'nothing more' : `${place.name} of shape [${place.shape.join(', ')}]`;
  const most = Math.max(state.length, network.length);
  for (let at = 0; at < most; at++) {
    const [theirs, ours] = [words(state[at]), words(network[at])];
    if (theirs === ours) continue;
    throw new InputError(
      `The state that \`from\` names is of another network: tensor ${at} is expected to be ${ours}, got ${theirs}.`,
      'Give the `model` that the state was trained with, on images of the same shape and classes.',
      'from',
    );
  }
}
