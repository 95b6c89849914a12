import { deflateSync, gzipSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { idx, pickledBatch } from './files.ts';

/** Zeros, so many of which a thousandth is left when they are packed. */
export function bomb(bytes: number): Buffer {
  return gzipSync(Buffer.alloc(bytes), { level: 9 });
}

/** A header that promises these sizes, and a few bytes. */
export function lyingIdx(sizes: readonly number[]): Buffer {
  return idx(sizes, new Uint8Array(64));
}

/** A header for few values, packed with so many more. */
export function longIdx(sizes: readonly number[], bytes: number): Buffer {
  return gzipSync(Buffer.concat([idx(sizes, []), Buffer.alloc(bytes)]), { level: 9 });
}

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

function crc32(bytes: Uint8Array): number {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xed_b8_83_20 : sum >>> 1;
  }
  return ~sum;
}

export function pngHeader(width: number, height: number, interlaced = false): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([8, 2, 0, 0, interlaced ? 1 : 0], 8);
  return chunk('IHDR', data);
}

/** A PNG of these chunks between its header and its end, with so many zeros as its pixels. */
export function png(headers: readonly Buffer[], zeros: number): Buffer {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const packed = deflateSync(Buffer.alloc(zeros), { level: 9 });
  return Buffer.concat([signature, ...headers, chunk('IDAT', packed), chunk('IEND', new Uint8Array())]);
}

export function palette(bytes: number): Buffer {
  return chunk('PLTE', new Uint8Array(bytes));
}

/** A small JPEG whose header says that it is this large. */
export function lyingJpeg(width: number, height: number): Buffer {
  const bytes = Buffer.from(jpeg.encode({ data: Buffer.alloc(8 * 8 * 4, 99), width: 8, height: 8 }, 90).data);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

/** A pickle that reads a text of 8 MB and then asks for a copy of it, as bytes, again and again, keeping each. */
export function copyingPickle(copies: number): Buffer {
  const text = Buffer.alloc(8 << 20, 0x61);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  const copy = Buffer.from('h\x00c_codecs\nencode\nh\x01R', 'latin1');
  return Buffer.concat([
    Buffer.from([0x80, 0x02, 0x58]),
    ...[size, text, Buffer.from('q\x00\x85q\x010](', 'latin1')],
    // encode(*(text,)), a list of the results.
    ...Array.from({ length: copies }, () => copy.subarray(2)).map((call) =>
      Buffer.concat([call.subarray(0, -3), Buffer.from('h\x01R', 'latin1')]),
    ),
    Buffer.from('e.', 'latin1'),
  ]);
}

/** A pickle that makes so many empty dictionaries, a byte each. */
export function crowdedPickle(objects: number): Buffer {
  return Buffer.concat([
    Buffer.from('\x80\x02](', 'latin1'),
    Buffer.alloc(objects, 0x7d),
    Buffer.from('e.', 'latin1'),
  ]);
}

/** A pickle with one operation, and the length of it, that is not there. */
export function lyingPickle(operation: number, length: readonly number[]): Buffer {
  return Buffer.from([0x80, 0x02, operation, ...length, 0x2e]);
}

/** A batch whose labels are no numbers, but names that every list has. */
export function namedLabels(planes: Uint8Array): Buffer {
  const whole = pickledBatch([1], planes);
  const at = whole.indexOf(Buffer.from([0x5d, 0x28, 0x4b, 0x01, 0x65]));
  const word = Buffer.from([0x5d, 0x28, 0x55, 6, ...Buffer.from('length'), 0x65]);
  return Buffer.concat([whole.subarray(0, at), word, whole.subarray(at + 5)]);
}
