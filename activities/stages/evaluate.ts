import { InputError } from '../../artifacts/errors.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { EvaluateWith } from '../../schemas/types.ts';
import { createEvaluator } from '../../science/evaluate.ts';
import { createModel } from '../../science/models/index.ts';
import type { Stage } from '../stage.ts';
import {
  evaluationMetadata,
  findExamples,
  readExamples,
  trainingMetadata,
  trainingOf,
} from '../training-data.ts';

/** `uses: evaluate`: loss and accuracy of a state on a dataset. */
export const stage: Stage<EvaluateWith> = {
  uses: 'evaluate',
  prospect({ state, data }) {
    if (state.model === undefined || data.examples === undefined) return undefined;
    return {
      outputs: { evaluation: {} },
      bytes: 20,
      work: data.examples * state.model.multiplyAdds,
      like: state.model.spec.name,
    };
  },
  async run(context) {
    const state = await context.store.open(context.with.state);
    const { training, data } = trainingOf(state);
    const examples = await readExamples(context.store, context.with.data);
    const { imageShape, classes, standardize, loss: name, l2 } = training;
    if (String(examples.shape) !== String(imageShape) || examples.classes !== classes) {
      throw new InputError(
        `The examples are ${examples.shape.join(' x ')} images of ${examples.classes} classes; the network was trained on ` +
          `${imageShape.join(' x ')} images of ${classes} classes.`,
        'Evaluate on data of the dataset that the network was trained on.',
      );
    }
    const model = createModel(training.model, imageShape, classes);
    const { tf } = await loadTensorFlow({ threads: context.threads });
    const count = examples.examples;
    context.progress({ done: 0, total: count, unit: 'examples' });
    // Only batch normalization needs the training examples.
    const population =
      model.normalizations.length > 0 ? await findExamples(context.store, data.train) : undefined;
    const evaluate = createEvaluator({ tf, model, standardize, loss: name, l2, population });
    const { loss, accuracy } = evaluate(state.floatVector('weights', 0), examples);
    context.progress({ done: count, total: count, unit: 'examples' });
    const metadata = {
      ...trainingMetadata(training, data),
      ...evaluationMetadata(model),
      'epochal.evaluatedOn': context.with.data.sha256,
    };
    const row = { loss: [loss], accuracy: [accuracy], examples: [count] };
    return { evaluation: await context.write('evaluation', metadata, (writer) => writer.append(row)) };
  },
};
