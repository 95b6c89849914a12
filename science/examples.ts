import { checkFinite, checkLength, checkWhole, MismatchError } from './mismatch.ts';
import type { ImageShape } from './models/model.ts';

/** Labelled images in memory, row by row (height, width, channels), and one class each. */
export interface Examples {
  /** Bytes; or numbers that are a network's inputs as they are. */
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  readonly shape: ImageShape;
  readonly classes: number;
  /** Number of examples. */
  readonly examples: number;
}

export type Standardization = 'per-image' | 'scale' | 'none';

const standardized = new WeakMap<Examples, Map<Standardization, Float32Array>>();
const lasting = new WeakSet<Examples>();

/** Says that nobody will change these arrays: what is made of them may be kept. */
export function asLasting<Some extends Examples>(data: Some): Some {
  lasting.add(data);
  return data;
}

/** As {@link standardize}; computed once for examples that last ({@link asLasting}). */
export function inputsFor(data: Examples, how: Standardization): Float32Array {
  return lasting.has(data) ? inputsOf(data, how) : standardize(data, how);
}

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
 * - `none`: the numbers as they are.
 *
 * Throws {@link MismatchError} for examples that do not fit together ({@link checkExamples}).
 */
export function standardize(data: Examples, how: Standardization): Float32Array {
  checkExamples(data);
  const { images, shape, examples } = data;
  if (how === 'none') return Float32Array.from(images);
  const values = new Float32Array(images.length);
  if (how === 'scale') {
    for (let i = 0; i < values.length; i++) values[i] = images[i]! / 255;
    return values;
  }
  const [height, width, channels] = shape;
  const pixels = height * width;
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

/**
 * Throws {@link MismatchError} if there are no examples, if images or labels are more or fewer than the shape says, if a label is not the number of a
 * class, or if an input is not finite.
 */
export function checkExamples({ images, labels, shape, classes, examples }: Examples): void {
  checkWhole('examples', examples, [1, Number.POSITIVE_INFINITY]);
  checkWhole('classes', classes, [1, Number.POSITIVE_INFINITY]);
  const pixels = shape[0] * shape[1] * shape[2];
  checkLength('images', images, examples * pixels, `${examples} examples of ${shape.join(' x ')}`);
  checkLength('labels', labels, examples, 'one for each example');
  checkLabels(labels, classes);
  if (images instanceof Float32Array)
    checkFinite('images', images, 'Leave out the examples that have such inputs, or mend them.');
}

/** Throws {@link MismatchError} naming the first label that is not a whole number from 0 to classes - 1. */
export function checkLabels(labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new MismatchError(
      'labels',
      `whole numbers from 0 to ${classes - 1} (${classes} classes)`,
      `${label} at index ${i}`,
      'Number the classes from 0, or say how many there are.',
    );
  }
}
