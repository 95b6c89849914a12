import { type Cipheriv, createCipheriv, createHash } from 'node:crypto';

const blockBytes = 4096;
const zeros = new Uint8Array(blockBytes);

/**
 * A counter-based stream of random numbers, addressed by (seed, purpose, indices) instead of by how many numbers were drawn
 * before: any epoch's permutation can be had without replaying the epochs before it, so a killed stage resumes with equal bits.
 *
 * The generator is AES-256 in counter mode (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4),
 * keyed by the SHA-256 of its address. Equal addresses give equal streams on every machine.
 */
export class RandomStream {
  readonly #cipher: Cipheriv;
  #block: DataView = new DataView(new ArrayBuffer(0));
  #offset = 0;
  #spareNormal: number | undefined;

  /**
   * @param seed The user's seed, a non-negative integer.
   * @param purpose What the numbers are for, such as `'permutation'`; streams of different purpose are independent.
   * @param indices Position within the purpose, such as the epoch.
   */
  constructor(seed: number, purpose: string, ...indices: readonly number[]) {
    const address = JSON.stringify(['epochal/random/1', seed, purpose, ...indices]);
    const key = createHash('sha256').update(address).digest();
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  /** The next 32 random bits as an unsigned integer. */
  uint32(): number {
    if (this.#offset === this.#block.byteLength) {
      const bytes = this.#cipher.update(zeros);
      this.#block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#offset = 0;
    }
    const value = this.#block.getUint32(this.#offset, true);
    this.#offset += 4;
    return value;
  }

  /** A uniform double in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) * 2 ** -53;
  }

  /** A uniform integer in [0, bound), without modulo bias (rejection). `bound` is at most 2^32. */
  below(bound: number): number {
    if (!(Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32)) {
      throw new RangeError(`below(bound) needs an integer from 1 to 2^32, got ${bound}`);
    }
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % bound;
    }
  }

  /** A standard normal double (Box and Muller 1958). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const value = this.#spareNormal;
      this.#spareNormal = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A uniformly random permutation of 0 ... n - 1 (Fisher and Yates). */
  permutation(n: number): Int32Array<ArrayBuffer> {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    return order;
  }
}
