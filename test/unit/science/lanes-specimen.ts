import type { Examples } from '../../../science/examples.ts';
import { createModel } from '../../../science/models/index.ts';
import { RandomStream } from '../../../science/random.ts';

const shape = [12, 12, 1] as const;
const examples = 230;
const random = new RandomStream(8, 'lanes');

const data: Examples = {
  images: Uint8Array.from({ length: examples * 144 }, () => random.below(256)),
  labels: Int32Array.from({ length: examples }, () => random.below(4)),
  shape,
  classes: 4,
  examples,
};

const training = {
  batchSize: 35,
  sampling: 'without-replacement',
  seed: 4,
  momentum: 0.8,
  loss: 'cross-entropy',
  l2: 1e-3,
} as const;

/** A LeNet and random images: enough of them that a batch is cut into lanes, unequal ones. */
export const lenet = {
  model: createModel(
    {
      ...{ name: 'lenet', hidden: [20], filters: [4, 6] },
      ...{ activation: 'relu', initialization: 'glorot-normal' },
    },
    shape,
    4,
  ),
  data,
  training,
  l2: training.l2,
};
