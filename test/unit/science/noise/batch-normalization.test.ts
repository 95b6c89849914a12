import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { createModel, type Model, type ModelSpec } from '../../../../science/models/index.ts';
import { createGradients } from '../../../../science/noise/gradients.ts';
import { RandomStream } from '../../../../science/random.ts';
import { epochBatches } from '../../../../science/sampling.ts';
import { randomExamples } from '../oracle/random-examples.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const examples = 240;
const shape = [8, 8, 1] as const;
const data = randomExamples(new RandomStream(3, 'share'), shape, 3, examples);

/** M var(mean of an epoch's gradients) / var(gradient), over all weights at fixed weights: 0 if the noise of an epoch cancels, 1 if it is white. */
function shareLeft(model: Model, batchSize: number): number {
  const epochs = 8;
  const size = model.size;
  const perEpoch = examples / batchSize;
  const gradients = createGradients({ tf, model, data, standardize: 'scale', loss: 'cross-entropy' });
  const weights = model.initialize(1);
  const rows: Float32Array[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = epochBatches('without-replacement', { examples, batchSize, seed: 2 }, epoch);
    for (const part of gradients.batches(weights, order, batchSize))
      for (let start = 0; start < part.length; start += size) rows.push(part.slice(start, start + size));
  }
  gradients.dispose();
  const meanOf = (list: readonly Float32Array[]) => {
    const mean = new Float64Array(size);
    for (const row of list) for (let i = 0; i < size; i++) mean[i]! += row[i]! / list.length;
    return mean;
  };
  const mean = meanOf(rows);
  const squares = (row: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (row[i]! - mean[i]!) ** 2;
    return sum;
  };
  const total = rows.reduce((sum, row) => sum + squares(row), 0) / rows.length;
  const means = Array.from({ length: epochs }, (_, epoch) =>
    meanOf(rows.slice(epoch * perEpoch, (epoch + 1) * perEpoch)),
  );
  const ofEpochs = means.reduce((sum, row) => sum + squares(row), 0) / (epochs - 1);
  return (perEpoch * ofEpochs) / total;
}

const modelOf = (spec: ModelSpec) => createModel(spec, shape, 3);

test('the noise of an epoch cancels at fixed weights, but with batch normalization a part of it that falls with the batch size does not', () => {
  const common = { activation: 'tanh', initialization: 'glorot-normal' } as const;
  const lenet = modelOf({ name: 'lenet', filters: [3, 4], hidden: [8], ...common });
  const resnet = modelOf({ name: 'resnet20', width: 2, blocks: 1, ...common });
  expect(shareLeft(lenet, 10)).toBeLessThan(1e-9);
  const shares = [10, 20, 40].map((batchSize) => shareLeft(resnet, batchSize));
  expect(shares[0]).toBeGreaterThan(0.05);
  expect(shares[1]! / shares[0]!).toBeLessThan(0.8);
  expect(shares[2]! / shares[1]!).toBeLessThan(0.8);
});
