import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { inflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { InputError } from '../artifacts/errors.ts';
import { mostImageBytes, mostPixels, tooLarge } from './limits.ts';

/** Pixels as red, green, blue, alpha. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const signatureBytes = 8;
/** Many more than an image of the most pixels is cut into. */
const mostChunks = 2 ** 16;
/** 256 colours. */
const mostPalette = 768;
const jpegTooLarge = /maxResolutionInMP limit exceeded|maxMemoryUsageInMB limit exceeded/;

/** The bytes of the file of an image. Throws `InputError` if no image that is read can have so many. */
export async function readImageFile(file: string): Promise<Buffer> {
  if ((await stat(file)).size > mostImageBytes)
    throw tooLarge(file, { bytes: mostImageBytes, why: 'which is more than an image takes' });
  return readFile(file);
}

/**
 * The image in the bytes of a PNG or JPEG file, by its extension. Throws `InputError` if they are none, and, before memory is taken for them, for
 * more pixels than are read.
 */
export function decodeImage(bytes: Buffer, file: string): DecodedImage {
  const isPng = extname(file).toLowerCase() === '.png';
  try {
    if (isPng) checkPng(bytes);
    return isPng ? PNG.sync.read(bytes) : decodeJpeg(bytes);
  } catch (error) {
    throw new InputError(
      `${file} cannot be read as an image: ${(error as Error).message}.`,
      'Get the file again, or remove it.',
    );
  }
}

function decodeJpeg(bytes: Buffer): DecodedImage {
  try {
    return jpeg.decode(bytes, { useTArray: true, maxResolutionInMP: mostPixels / 1e6 });
  } catch (error) {
    if (!jpegTooLarge.test((error as Error).message)) throw error;
    throw new Error(`it has more than ${mostPixels} pixels`);
  }
}

/**
 * Throws `Error` for a PNG that would make the decoder take more memory than its pixels need: it believes each header there is, the last one most, keeps
 * a colour for every three bytes of a palette, and unpacks all that an interlaced image holds.
 */
function checkPng(bytes: Buffer): void {
  const packed: Buffer[] = [];
  let header: Buffer | undefined;
  let chunks = 0;
  for (const { type, data } of chunksOf(bytes)) {
    if (++chunks > mostChunks) throw new Error(`it has more than ${mostChunks} chunks`);
    if (type === 'IDAT') packed.push(data);
    if (type === 'PLTE' && data.length > mostPalette)
      throw new Error(`its palette has ${data.length} bytes in place of at most ${mostPalette}`);
    if (type !== 'IHDR') continue;
    if (header !== undefined || data.length < 13) throw new Error('its header is none, or not the only one');
    header = data;
  }
  if (header === undefined) throw new Error('it is no PNG');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  if (width === 0 || height === 0 || width * height > mostPixels)
    throw new Error(`it is ${width} x ${height} pixels; from 1 to ${mostPixels} are read`);
  if (header[12] === 0) return;
  // Each pixel in at most four channels of two bytes, and for each row of each of seven passes a byte for its filter and one that is not full.
  inflateSync(Buffer.concat(packed), { maxOutputLength: 8 * width * height + 14 * height });
}

function* chunksOf(bytes: Buffer): Generator<{ readonly type: string; readonly data: Buffer }> {
  for (let at = signatureBytes; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const start = at + 8;
    yield { type: bytes.toString('latin1', at + 4, start), data: bytes.subarray(start, start + length) };
    at = start + length + 4;
  }
}
