import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Examples, standardize } from '../../science/examples.ts';
import { createModel, type Model } from '../../science/models/index.ts';
import { RandomStream } from '../../science/random.ts';
import { epochBatches } from '../../science/sampling.ts';
import { writeNpy } from './npy.ts';

/** What all sides compute with; kept in the folder as `problem.json`, arrays beside it as `.npy`. */
export interface Problem {
  readonly examples: number;
  /** Examples in the top-k task. */
  readonly topExamples: number;
  readonly top: number;
  /** Residual allowed, relative to the largest eigenvalue. */
  readonly tolerance: number;
  /** Examples in one batch of a gradient or product, for the peers. */
  readonly chunk: number;
  /** Steps of one epoch. */
  readonly steps50: number;
  readonly steps500: number;
  readonly momentum: number;
  readonly learningRate: number;
  readonly l2: number;
  /** Rows of the projection task: `rows` different ones, taken `repeat` times. */
  readonly rows: number;
  readonly repeat: number;
  readonly basis: number;
}

export const seed = 1;

/** LeNet on images of CIFAR-10's size: 136,886 weights. */
export function benchModel(): Model {
  return createModel({ name: 'lenet', activation: 'relu', initialization: 'glorot-normal' }, [32, 32, 3], 10);
}

/** Images with structure: each class a smooth random pattern, shifted and with noise, as bytes. */
export function benchExamples(examples: number): Examples {
  const random = new RandomStream(seed, 'bench-images');
  const waves = Array.from({ length: 10 }, () =>
    Array.from({ length: 6 }, () => ({
      across: random.normal() / 4,
      down: random.normal() / 4,
      phase: [0, 1, 2].map(() => 6.28 * random.uniform()),
    })),
  );
  const images = new Uint8Array(examples * 3072);
  const labels = new Int32Array(examples);
  for (let example = 0; example < examples; example++) {
    labels[example] = random.below(10);
    const own = waves[labels[example]!]!;
    const [right, below] = [random.below(9), random.below(9)];
    for (let at = 0; at < 3072; at++) {
      const [row, column, channel] = [Math.floor(at / 96), Math.floor(at / 3) % 32, at % 3];
      let value = 128 + 40 * random.normal();
      for (const { across, down, phase } of own)
        value += 20 * Math.sin(across * (column + right) + down * (row + below) + phase[channel]!);
      images[example * 3072 + at] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
  return { images, labels, shape: [32, 32, 3], classes: 10, examples };
}

/** A random direction of length 1. */
export function benchDirection(size: number): Float32Array {
  const random = new RandomStream(seed, 'bench-direction');
  const vector = Float64Array.from({ length: size }, () => random.normal());
  const length = Math.sqrt(vector.reduce((sum, component) => sum + component * component, 0));
  return Float32Array.from(vector, (component) => component / length);
}

/** Writes everything that the sides read. */
export function writeProblem(folder: string, problem: Problem, weights: Float32Array): void {
  const model = benchModel();
  const examples = benchExamples(problem.examples);
  const write = (name: string, values: Float32Array | Int32Array, shape?: number[]) =>
    writeNpy(join(folder, `${name}.npy`), values, shape);
  write('images', standardize(examples, 'per-image'), [problem.examples, 32, 32, 3]);
  write('labels', examples.labels);
  write('weights', weights);
  write('direction', benchDirection(model.size));
  for (const batchSize of [50, 500]) {
    const sampling = { examples: problem.examples, batchSize, seed };
    write(`order-${batchSize}`, epochBatches('without-replacement', sampling, 0));
  }
  const random = new RandomStream(seed, 'bench-projection');
  const spread = (length: number, scale: number) =>
    Float32Array.from({ length }, () => scale * (random.uniform() - 0.5));
  const rows = spread(problem.rows * model.size, 1e-3);
  for (let i = 0; i < rows.length; i++) rows[i]! += weights[i % model.size]!;
  write('reference', weights);
  write('rows', rows, [problem.rows, model.size]);
  write('basis', spread(problem.basis * model.size, Math.sqrt(12 / model.size)), [problem.basis, model.size]);
  const { layout, size } = model;
  writeFileSync(join(folder, 'problem.json'), JSON.stringify({ ...problem, layout, size }));
}
