import { InputError } from '../artifacts/errors.ts';

/**
 * What files of data may make this program hold. They come from elsewhere, and a few bytes of them can promise terabytes: each is held against these before
 * memory is taken.
 */

/** Bytes of all images of a part of a data set: they are in memory together, more than once while they are loaded. */
export const mostBytes = 2 ** 31 - 1;
/** Pixels of one image, 4096 x 4096. */
export const mostPixels = 2 ** 24;
/** Bytes of the file of one image: 16 bits for each of four channels of each pixel, not compressed, and as much again. */
export const mostImageBytes = 2 ** 28;
/** How many bytes deflate can at most make of one. */
export const mostInflation = 1032;

/** How much of a file is read, and why that is enough. */
export interface Limit {
  readonly bytes: number;
  /** The end of a sentence: "which its header promises". */
  readonly why: string;
}

/** The error for a file that holds more. */
export function tooLarge(path: string, { bytes, why }: Limit): InputError {
  return new InputError(`${path} has more than ${bytes} bytes, ${why}.`, 'Get the file again.');
}

/** Throws {@link InputError} if the images of a part would take more memory than an artifact may have. */
export function mustFit(folder: string, images: number, imageBytes: number): void {
  if (images * imageBytes <= mostBytes) return;
  throw new InputError(
    `${images} images of ${imageBytes} bytes in ${folder} are ${images * imageBytes} bytes; a part of a data set may have ${mostBytes}.`,
    'Take fewer or smaller images.',
    'path',
  );
}
