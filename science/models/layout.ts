import { RandomStream } from '../random.ts';
import type { ModelSpec, ParameterTensor } from './model.ts';

/** Lays kernels and biases out in one flat vector, in the order given. */
export function layOut(tensors: readonly { readonly name: string; readonly shape: readonly number[] }[]): {
  layout: ParameterTensor[];
  size: number;
} {
  let size = 0;
  const layout = tensors.map(({ name, shape }) => {
    const tensor = { name, shape, offset: size, kernel: shape.length > 1 };
    size += count(shape);
    return tensor;
  });
  return { layout, size };
}

/** Number of elements of a shape. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Initial weights: each kernel normal with variance 2 / (fan in + fan out) (Glorot and Bengio 2010) or 2 / fan in (He et al. 2015), each bias
 * zero. The fans of a convolution count the positions of its kernel.
 */
export function initialWeights(
  layout: readonly ParameterTensor[],
  size: number,
  initialization: ModelSpec['initialization'],
  seed: number,
): Float32Array {
  const weights = new Float32Array(size);
  for (const [index, { shape, offset, kernel }] of layout.entries()) {
    if (!kernel) continue;
    const positions = count(shape.slice(0, -2));
    const fanIn = positions * shape.at(-2)!;
    const fanOut = positions * shape.at(-1)!;
    const deviation = Math.sqrt(2 / (initialization === 'glorot-normal' ? fanIn + fanOut : fanIn));
    const random = new RandomStream(seed, 'initialization', index);
    for (let i = 0; i < count(shape); i++) weights[offset + i] = deviation * random.normal();
  }
  return weights;
}
