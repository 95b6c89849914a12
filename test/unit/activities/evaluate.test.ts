import { expect, test } from 'vitest';
import { writeState } from '../../../activities/stage-parts/write-state.ts';
import { readMetadata, writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { TrainingContext } from '../../../artifacts/arrow/training-context.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { type Examples, standardize } from '../../../science/examples.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { type Specimen, zoo } from '../science/models/zoo.ts';
import { lossAndGradient } from '../science/oracle/double-network.ts';

const l2 = 0.01;
const store = await storeOfThisFile();

function writeDataset({ images, labels, shape, classes }: Examples): Promise<ArtifactRef> {
  const metadata = writeMetadata({ shape, classes });
  return store.write('dataset', metadata, (writer) => writer.append({ image: images, label: labels }));
}

async function writeWeights({ model, weights, data }: Specimen, train: ArtifactRef): Promise<ArtifactRef> {
  const training: TrainingContext = {
    model: { ...model.spec },
    imageShape: data.shape,
    classes: data.classes,
    standardize: 'per-image',
    loss: 'cross-entropy',
    l2,
    examples: data.examples,
    batchSize: 2,
    batchesPerEpoch: 3,
    sampling: 'without-replacement',
    learningRate: 0.1,
    momentum: 0.9,
    seed: 1,
  };
  const state = { weights, velocity: new Float32Array(weights.length), step: 0, epoch: 0 };
  const context = { write: store.write.bind(store) };
  return writeState(context, state, training, model, { train: train.sha256, test: null });
}

/** Loss and accuracy in double precision; the predicted class is the one whose label would have the smallest loss. */
function oracle({ network, weights, data }: Specimen): { loss: number; accuracy: number } {
  const inputs = standardize(data, 'per-image');
  const theta = Float64Array.from(weights);
  const pixels = inputs.length / data.examples;
  const { loss } = lossAndGradient(network, theta, { inputs, labels: data.labels }, l2);
  let right = 0;
  for (let example = 0; example < data.examples; example++) {
    const own = inputs.subarray(example * pixels, (example + 1) * pixels);
    const losses = Array.from(
      { length: data.classes },
      (_, label) => lossAndGradient(network, theta, { inputs: own, labels: [label] }, 0).loss,
    );
    if (losses.indexOf(Math.min(...losses)) === data.labels[example]) right++;
  }
  return { loss, accuracy: right / data.examples };
}

test.each(zoo(23))(
  '$name: loss and accuracy are those of a forward pass in double precision',
  async (specimen) => {
    const data = await writeDataset(specimen.data);
    const state = await writeWeights(specimen, data);
    const { outputs } = await runStage(store, 'evaluate', { state, data });
    const table = await store.open(outputs.evaluation!);
    const expected = oracle(specimen);
    expect(table.row(0).examples).toBe(23);
    expect(Number(table.row(0).loss) / expected.loss).toBeCloseTo(1, 6);
    expect(table.row(0).accuracy).toBe(expected.accuracy);
    expect(readMetadata(table, 'evaluatedOn')).toBe(data.sha256);
  },
);

test('images of another shape are refused', async () => {
  const [specimen] = zoo(4);
  const data = await writeDataset(specimen!.data);
  const other = await writeDataset({ ...specimen!.data, shape: [5, 6, 2] });
  const state = await writeWeights(specimen!, data);
  await expect(runStage(store, 'evaluate', { state, data: other })).rejects.toThrow(
    'The examples are 5 x 6 x 2 images of 3 classes; the network was trained on 6 x 5 x 2 images of 3 classes.',
  );
});
