import type { Examples } from '../../../../science/examples.ts';
import { createModel, type Model } from '../../../../science/models/index.ts';
import { RandomStream } from '../../../../science/random.ts';
import type { DoubleNetwork } from '../oracle/double-network.ts';
import { randomExamples } from '../oracle/random-examples.ts';

export interface Specimen {
  readonly name: string;
  readonly model: Model;
  readonly network: DoubleNetwork;
  /** Random images and labels. */
  readonly data: Examples;
  /** Initial weights, with biases that are not zero. */
  readonly weights: Float32Array;
}

/** Settings of SGD for them. */
export const zooTraining = {
  batchSize: 2,
  sampling: 'without-replacement',
  seed: 4,
  momentum: 0.8,
  loss: 'cross-entropy',
  l2: 1e-3,
} as const;

/** Small networks of every kind, odd image sizes among them so that pooling pads. */
export function zoo(examples: number): Specimen[] {
  return (['mlp', 'lenet'] as const).flatMap((name) =>
    (['relu', 'tanh'] as const).map((activation) => specimen(name, activation, examples)),
  );
}

function specimen(name: 'mlp' | 'lenet', activation: 'relu' | 'tanh', examples: number): Specimen {
  const random = new RandomStream(5, `zoo ${name}`);
  const shape = [6, 5, 2] as const;
  const classes = 3;
  const hidden = name === 'mlp' ? [6, 5] : [4];
  const filters = [2, 3] as const;
  const model = createModel(
    { name, hidden, ...(name === 'lenet' ? { filters } : {}), activation, initialization: 'glorot-normal' },
    shape,
    classes,
  );
  const weights = model.initialize(3);
  for (const { shape: tensor, offset, kernel } of model.layout) {
    if (!kernel) for (let i = 0; i < tensor[0]!; i++) weights[offset + i] = 0.2 * random.normal();
  }
  const data = randomExamples(random, shape, classes, examples);
  const network = { shape, classes, hidden, activation, ...(name === 'lenet' ? { filters } : {}) };
  return { name: `${name}, ${activation}`, model, network, data, weights };
}
