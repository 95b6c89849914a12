import { RandomStream } from '../random.ts';
import type { Initialization, ParameterTensor } from './model.ts';

/** How a tensor begins: kernels normal by the network's initialization, biases zero, scales of norms one, embeddings normal of deviation 0.02. */
type Role = 'kernel' | 'bias' | 'scale' | 'embedding';

const embeddingDeviation = 0.02;

/** The tensors of a network, laid out in one flat vector in the order they are added. */
export class Parameters {
  readonly layout: ParameterTensor[] = [];
  /** Channels of each batch normalization, in order. */
  readonly normalizations: number[] = [];
  readonly #roles: Role[] = [];
  #size = 0;
  #multiplyAdds = 0;

  /** P so far. */
  get size(): number {
    return this.#size;
  }

  /** Multiplications with an addition for one example, so far. */
  get multiplyAdds(): number {
    return this.#multiplyAdds;
  }

  /** Counts what a layer takes for one example. */
  work(multiplyAdds: number): void {
    this.#multiplyAdds += multiplyAdds;
  }

  /** Adds a tensor and gives its position in the layout. */
  add(name: string, shape: readonly number[], role: Role): number {
    this.#roles.push(role);
    this.layout.push({ name, shape, offset: this.#size, kernel: role === 'kernel' });
    this.#size += count(shape);
    return this.layout.length - 1;
  }

  /**
   * Initial weights. Kernels are normal with variance 2 / (fan in + fan out) (Glorot and Bengio 2010) or 2 / fan in (He et al. 2015); the fans
   * of a convolution count the positions of its kernel.
   */
  initialize(initialization: Initialization, seed: number): Float32Array {
    const weights = new Float32Array(this.#size);
    for (const [index, { shape, offset }] of this.layout.entries()) {
      const role = this.#roles[index]!;
      if (role === 'scale') weights.fill(1, offset, offset + count(shape));
      if (role !== 'kernel' && role !== 'embedding') continue;
      const deviation = role === 'embedding' ? embeddingDeviation : kernelDeviation(shape, initialization);
      const random = new RandomStream(seed, 'initialization', index);
      for (let i = 0; i < count(shape); i++) weights[offset + i] = deviation * random.normal();
    }
    return weights;
  }
}

/** Number of elements of a shape. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function kernelDeviation(shape: readonly number[], initialization: Initialization): number {
  const positions = count(shape.slice(0, -2));
  const fanIn = positions * shape.at(-2)!;
  const fanOut = positions * shape.at(-1)!;
  return Math.sqrt(2 / (initialization === 'glorot-normal' ? fanIn + fanOut : fanIn));
}
