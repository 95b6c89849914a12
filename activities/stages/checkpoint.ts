import { InputError } from '../../artifacts/errors.ts';
import type { CheckpointWith } from '../../schemas/types.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage } from '../kinds/stage.ts';
import { trainedStateIn } from '../stage-parts/states/starting-state.ts';
import { trainedModel, trainingOf } from '../stage-parts/training-data.ts';
import { writeState } from '../stage-parts/write-state.ts';

/** `uses: checkpoint`: one of the states that a training kept, as a state. */
export const stage: Stage<CheckpointWith> = {
  uses: 'checkpoint',
  prospect({ of: { states: _, ...known } }) {
    if (known.model === undefined) return undefined;
    return { outputs: { state: known }, bytes: rowBytes('state', known.model.size) };
  },
  async run(context) {
    const { of, epoch } = context.with;
    const states = await context.store.open(of);
    const { training, data } = trainingOf(states);
    const epochs = [...states.numbers('epoch')];
    const row = epochs.indexOf(epoch);
    if (row < 0) {
      throw new InputError(
        `There is no state of epoch ${epoch}: those of the epochs ${epochs.join(', ')} were kept.`,
        'Name one of these, or have the training `keep` this one too.',
        'epoch',
      );
    }
    const learningRate = states.numbers('learning_rate')[row]!;
    const model = trainedModel(training);
    const own = { ...training, learningRate };
    return { state: await writeState(context, trainedStateIn(states, row), own, model, data) };
  },
};
