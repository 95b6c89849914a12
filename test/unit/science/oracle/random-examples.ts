import type { Examples } from '../../../../science/examples.ts';
import type { RandomStream } from '../../../../science/random.ts';

/** Images of random bytes, with random labels. */
export function randomExamples(
  random: RandomStream,
  shape: readonly [number, number, number],
  classes: number,
  examples: number,
): Examples {
  const pixels = shape[0] * shape[1] * shape[2];
  return {
    images: Uint8Array.from({ length: examples * pixels }, () => random.below(256)),
    labels: Int32Array.from({ length: examples }, () => random.below(classes)),
    shape,
    classes,
    examples,
  };
}
