import type { Examples } from '../../../../science/examples.ts';
import { standardize } from '../../../../science/examples.ts';
import type { LossName } from '../../../../science/loss.ts';
import {
  createModel,
  type ImageShape,
  type Model,
  type ModelSpec,
} from '../../../../science/models/index.ts';
import { RandomStream } from '../../../../science/random.ts';
import type { DoubleProblem } from '../oracle/double-loss.ts';
import { randomExamples } from '../oracle/random-examples.ts';

export interface ModelSpecimen {
  readonly name: string;
  readonly model: Model;
  readonly loss: LossName;
  readonly data: Examples;
  /** Initial weights, with biases that are not zero and scales that are not one. */
  readonly weights: Float32Array;
  readonly l2: number;
  /** The same in double precision, without statistics. */
  readonly problem: DoubleProblem;
}

const initialization = 'he-normal';

/** One small network of each kind and more, with activations and losses spread over them. */
export const specimens: readonly ModelSpecimen[] = (
  [
    [{ name: 'linear', initialization }, [4, 3, 2], 'cross-entropy'],
    [{ name: 'linear', initialization }, [4, 3, 2], 'mean-squared-error'],
    [{ name: 'mlp', hidden: [5, 4], activation: 'gelu', initialization }, [4, 3, 1], 'mean-squared-error'],
    [
      { name: 'lenet', hidden: [4], filters: [2, 2], activation: 'tanh', initialization },
      [6, 5, 1],
      'mean-squared-error',
    ],
    [{ name: 'resnet20', width: 2, blocks: 1, initialization }, [6, 5, 2], 'cross-entropy'],
    [
      { name: 'resnet20', width: 2, blocks: 1, activation: 'tanh', initialization },
      [4, 4, 1],
      'mean-squared-error',
    ],
    [
      { name: 'transformer', patch: 2, width: 4, heads: 2, blocks: 2, feedForward: 6, initialization },
      [4, 6, 2],
      'cross-entropy',
    ],
    [
      { name: 'transformer', patch: 3, width: 4, heads: 1, blocks: 1, activation: 'tanh', initialization },
      [3, 6, 1],
      'mean-squared-error',
    ],
    [
      {
        name: 'custom',
        activation: 'gelu',
        initialization,
        layers: [
          { kind: 'conv', filters: 3, size: 3, stride: 2, padding: 'valid' },
          { kind: 'conv', filters: 2, size: 1, activation: 'none' },
          { kind: 'pool', pooling: 'average', size: 2, stride: 1, padding: 'valid' },
          { kind: 'flatten' },
          { kind: 'dense', units: 4, activation: 'tanh' },
        ],
      },
      [8, 7, 1],
      'cross-entropy',
    ],
    [
      {
        name: 'custom',
        initialization,
        layers: [
          { kind: 'conv', filters: 3, size: 2 },
          { kind: 'pool', size: 3, stride: 2 },
          { kind: 'conv', filters: 4, size: 3, stride: 2, activation: 'tanh' },
          { kind: 'global-average' },
        ],
      },
      [7, 6, 2],
      'cross-entropy',
    ],
  ] satisfies [ModelSpec, ImageShape, LossName][]
).map(([spec, shape, loss], index) => specimen(spec, shape, loss, 7, index));

/** Random images and labels, and weights near the initial ones. */
function specimen(
  spec: ModelSpec,
  shape: ImageShape,
  loss: LossName,
  examples: number,
  index: number,
): ModelSpecimen {
  const random = new RandomStream(11, 'specimen', index);
  const classes = 3;
  const model = createModel(spec, shape, classes);
  const weights = model.initialize(3);
  for (const { shape: tensor, offset, kernel } of model.layout) {
    if (kernel) continue;
    for (let i = 0; i < tensor.reduce((a, b) => a * b); i++) weights[offset + i]! += 0.3 * random.normal();
  }
  const data = randomExamples(random, shape, classes, examples);
  const l2 = 3e-3;
  const kernels = model.layout.flatMap(({ kernel, offset, shape: tensor }) =>
    kernel ? [[offset, offset + tensor.reduce((a, b) => a * b)] as const] : [],
  );
  const inputs = standardize(data, 'per-image');
  const problem = { spec: model.spec, shape, classes, inputs, labels: data.labels, loss, l2, kernels };
  const activation = model.spec.activation === undefined ? '' : `, ${model.spec.activation}`;
  const name = `${spec.name}${activation}, ${loss} (${model.size} weights)`;
  return { name, model, loss, data, weights, l2, problem };
}
