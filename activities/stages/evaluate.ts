import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { EvaluateWith } from '../../schemas/types.ts';
import { createEvaluator } from '../../science/evaluate.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage } from '../kinds/stage.ts';
import { checkImages, checkNotEmpty } from '../stage-parts/checks.ts';
import {
  findExamples,
  readExamples,
  statisticsOf,
  trainedModel,
  trainingOf,
} from '../stage-parts/training-data.ts';

/** `uses: evaluate`: loss and accuracy of a state on a dataset. */
export const stage: Stage<EvaluateWith> = {
  uses: 'evaluate',
  prospect({ state, data }) {
    checkNotEmpty(data.examples, 'data');
    if (state.model === undefined || data.examples === undefined) return undefined;
    checkImages(data as Required<typeof data>, state.model);
    return {
      outputs: { evaluation: {} },
      bytes: rowBytes('evaluation'),
      work: data.examples * state.model.multiplyAdds,
      like: state.model.spec.name,
    };
  },
  async run(context) {
    const state = await context.store.open(context.with.state);
    const { training, data } = trainingOf(state);
    const examples = await readExamples(context.store, context.with.data);
    const { imageShape, classes, standardize, loss: name, l2 } = training;
    checkImages({ imageShape: examples.shape, classes: examples.classes }, { imageShape, classes });
    const model = trainedModel(training);
    const { tf } = await loadTensorFlow({ threads: context.threads });
    const count = examples.examples;
    context.progress({ done: 0, total: count, unit: 'examples' });
    // Only batch normalization needs the training examples.
    const population =
      model.normalizations.length > 0 ? await findExamples(context.store, data.train) : undefined;
    const evaluate = createEvaluator({ tf, model, standardize, loss: name, l2, population });
    const { loss, accuracy } = evaluate(state.floatVector('weights', 0), examples);
    context.progress({ done: count, total: count, unit: 'examples' });
    const evaluatedOn = context.with.data.sha256;
    const metadata = writeMetadata({ training, data, statistics: statisticsOf(model), evaluatedOn });
    const row = { loss: [loss], accuracy: [accuracy], examples: [count] };
    return { evaluation: await context.write('evaluation', metadata, (writer) => writer.append(row)) };
  },
};
