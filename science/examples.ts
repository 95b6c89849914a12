import type { ImageShape } from './models/model.ts';

/** Labelled images in memory: bytes row by row (height, width, channels), and one class each. */
export interface Examples {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly shape: ImageShape;
  readonly classes: number;
  /** Number of examples. */
  readonly examples: number;
}

export type Standardization = 'per-image' | 'scale';

const standardized = new WeakMap<Examples, Map<Standardization, Float32Array>>();

/** As {@link standardize}, computed once for each set of examples and kept as long as the set is. */
export function inputsOf(data: Examples, how: Standardization): Float32Array {
  const known = standardized.get(data) ?? new Map<Standardization, Float32Array>();
  standardized.set(data, known);
  const values = known.get(how) ?? standardize(data, how);
  known.set(how, values);
  return values;
}

/**
 * Network inputs from bytes, examples x height x width x channels.
 *
 * - `per-image`: each channel of each image gets zero mean and unit variance; a deviation below 1 / sqrt(pixels) grey levels counts as that, so
 *   that an empty channel becomes zero.
 * - `scale`: byte / 255.
 */
export function standardize({ images, shape, examples }: Examples, how: Standardization): Float32Array {
  if (how === 'scale') return Float32Array.from(images, (byte) => byte / 255);
  const [height, width, channels] = shape;
  const pixels = height * width;
  const values = new Float32Array(images.length);
  for (let example = 0; example < examples; example++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = example * pixels * channels + channel;
      let sum = 0;
      let squares = 0;
      for (let pixel = 0; pixel < pixels; pixel++) {
        const byte = images[start + pixel * channels]!;
        sum += byte;
        squares += byte * byte;
      }
      const mean = sum / pixels;
      // Sums of bytes and their squares are exact, so nothing cancels here but what should.
      const deviation = Math.max(
        Math.sqrt(Math.max(squares / pixels - mean * mean, 0)),
        1 / Math.sqrt(pixels),
      );
      for (let pixel = 0; pixel < pixels; pixel++) {
        const at = start + pixel * channels;
        values[at] = (images[at]! - mean) / deviation;
      }
    }
  }
  return values;
}
