import type { ImageShape } from '../../../../science/models/index.ts';
import type { LayerSpec } from '../../../../science/models/kinds/custom.ts';
import type { Activation } from '../../../../science/models/model.ts';
import type { Tape, Value } from './double-tape.ts';

/** height x width x channels numbers, row by row. */
export interface Maps {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly at: readonly Value[];
}

/** Gives the weights out in the order of the layout. */
export type Take = (count: number) => Value[];

/** The options of all networks; each has its own. */
export interface Network {
  readonly name: 'custom' | 'lenet' | 'linear' | 'mlp' | 'resnet20' | 'transformer';
  readonly activation?: Activation;
  readonly hidden?: readonly number[];
  readonly filters?: readonly number[];
  readonly width?: number;
  readonly blocks?: number;
  readonly patch?: number;
  readonly heads?: number;
  readonly feedForward?: number;
  readonly layers?: readonly LayerSpec[];
}

/** One pass of a batch of images through a network. */
export interface Forward {
  readonly tape: Tape;
  readonly spec: Network;
  readonly take: Take;
  readonly images: readonly Maps[];
  readonly classes: number;
  /** Of each batch normalization: its means, then its variances; without them, the moments of the batch. */
  readonly statistics: readonly number[] | undefined;
  /** Gets the moments that batch normalization took. */
  readonly seen: number[];
}

/** Calls back for each window with the places inside the image: their row and column in it, and in the window. */
function windows(
  { height, width }: Maps,
  size: number,
  stride: number,
  padding: 'same' | 'valid',
  visit: (inside: readonly { row: number; column: number; a: number; b: number }[]) => void,
): { height: number; width: number } {
  const along = (length: number) => {
    const count = padding === 'same' ? Math.ceil(length / stride) : Math.floor((length - size) / stride) + 1;
    const missing = padding === 'same' ? Math.max((count - 1) * stride + size - length, 0) : 0;
    return { count, before: Math.floor(missing / 2) };
  };
  const [rows, columns] = [along(height), along(width)];
  for (let i = 0; i < rows.count; i++)
    for (let j = 0; j < columns.count; j++) {
      const inside = [];
      for (let a = 0; a < size; a++)
        for (let b = 0; b < size; b++) {
          const [row, column] = [i * stride - rows.before + a, j * stride - columns.before + b];
          if (row >= 0 && row < height && column >= 0 && column < width) inside.push({ row, column, a, b });
        }
      visit(inside);
    }
  return { height: rows.count, width: columns.count };
}

export function convolve(
  tape: Tape,
  maps: Maps,
  kernel: readonly Value[],
  bias: readonly Value[] | undefined,
  {
    size,
    stride,
    padding,
    filters,
  }: { size: number; stride: number; padding: 'same' | 'valid'; filters: number },
): Maps {
  const { channels, width } = maps;
  const at: Value[] = [];
  const shape = windows(maps, size, stride, padding, (inside) => {
    for (let filter = 0; filter < filters; filter++) {
      const inputs: Value[] = [];
      const weights: Value[] = [];
      for (const { row, column, a, b } of inside)
        for (let channel = 0; channel < channels; channel++) {
          inputs.push(maps.at[(row * width + column) * channels + channel]!);
          weights.push(kernel[((a * size + b) * channels + channel) * filters + filter]!);
        }
      at.push(tape.dot(inputs, weights, bias?.[filter]));
    }
  });
  return { ...shape, channels: filters, at };
}

export function pooled(
  tape: Tape,
  maps: Maps,
  how: 'max' | 'average',
  { size, stride, padding }: { size: number; stride: number; padding: 'same' | 'valid' },
): Maps {
  const { channels, width } = maps;
  const at: Value[] = [];
  const shape = windows(maps, size, stride, padding, (inside) => {
    for (let channel = 0; channel < channels; channel++) {
      const own = inside.map(({ row, column }) => maps.at[(row * width + column) * channels + channel]!);
      at.push(
        how === 'average'
          ? tape.sum(own, 1 / own.length)
          : own.reduce((best, value) => (tape.values[value]! > tape.values[best]! ? value : best)),
      );
    }
  });
  return { ...shape, channels, at };
}

/** x W + b, W of inputs x outputs. */
export function applyDense(
  tape: Tape,
  x: readonly Value[],
  kernel: readonly Value[],
  bias: readonly Value[],
): Value[] {
  return bias.map((own, output) =>
    tape.dot(
      x,
      x.map((_, input) => kernel[input * bias.length + output]!),
      own,
    ),
  );
}

/** erf x = 2 / sqrt(pi) sum_n (-1)^n x^(2n+1) / (n! (2n+1)), for |x| < 4. */
function errorFunction(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const functions = {
  relu: [(x: number) => Math.max(x, 0), (x: number) => (x > 0 ? 1 : 0)],
  tanh: [Math.tanh, (x: number) => 1 - Math.tanh(x) ** 2],
  gelu: [
    (x: number) => (x * (1 + errorFunction(x / Math.SQRT2))) / 2,
    (x: number) =>
      (1 + errorFunction(x / Math.SQRT2)) / 2 + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  ],
  none: [(x: number) => x, () => 1],
} as const;

export function activated(tape: Tape, x: readonly Value[], name: keyof typeof functions): Value[] {
  const [f, derivative] = functions[name];
  return x.map((value) => tape.unary(value, f, derivative));
}

/** scale (x - mean) / sqrt(variance + 1e-5) + bias */
export function normalizedValue(
  tape: Tape,
  x: Value,
  { mean, variance, scale, bias }: { mean: Value; variance: Value; scale: Value; bias: Value },
): Value {
  const root = tape.unary(
    variance,
    (v) => (v + 1e-5) ** -0.5,
    (v) => -0.5 * (v + 1e-5) ** -1.5,
  );
  const centred = tape.sum([x, tape.sum([mean], -1)]);
  return tape.dot([tape.product(centred, root)], [scale], bias);
}

/** Mean and (biased) variance. */
export function momentsOf(tape: Tape, x: readonly Value[]): { mean: Value; variance: Value } {
  const mean = tape.sum(x, 1 / x.length);
  const minus = tape.sum([mean], -1);
  const centred = x.map((value) => tape.sum([value, minus]));
  return { mean, variance: tape.sum([tape.dot(centred, centred)], 1 / x.length) };
}

export function mapsOf(tape: Tape, [height, width, channels]: ImageShape, pixels: ArrayLike<number>): Maps {
  return { height, width, channels, at: Array.from(pixels, (pixel) => tape.leaf(pixel)) };
}
