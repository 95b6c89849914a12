import { NameRegistry, Parser } from 'pickleparser';
import { InputError } from '../artifacts/errors.ts';
import { BoundedReader } from './pickle-reader.ts';

/** A batch of CIFAR-10: labels, and of each image the red, green and blue plane. */
export interface PickledBatch {
  readonly labels: readonly number[];
  readonly planes: Uint8Array;
}

/**
 * A batch of CIFAR-10 for Python: a pickled dictionary with `labels` and the uint8 array `data`. Only data is built, by the few names that it
 * needs; nothing that a pickle may call for is run. Throws `InputError` for any other file.
 */
export function readPickledBatch(bytes: Uint8Array, path: string): PickledBatch {
  let batch: unknown;
  try {
    batch = new Parser({ nameResolver: names, unpicklingTypeOfDictionary: 'Map' }).read(
      new BoundedReader(bytes),
    );
  } catch (error) {
    throw new InputError(
      `${path} is not a pickled batch: ${(error as Error).message}`,
      'Get the file again.',
    );
  }
  const [labels, data] = ['labels', 'data'].map((key) => (batch instanceof Map ? batch.get(key) : undefined));
  if (!Array.isArray(labels) || !(data instanceof PickledArray) || data.planes === undefined)
    throw new InputError(
      `${path} is a pickle, but not one with \`labels\` and \`data\`.`,
      'Get the file again.',
    );
  return { labels: labels as number[], planes: data.planes };
}

/** A NumPy array of bytes, row by row: all that its state is asked for. */
class PickledArray {
  planes: Uint8Array | undefined;

  /** (version, shape, dtype, Fortran order, data) */
  __setstate__([, , dtype, fortran, data]: readonly [unknown, unknown, unknown, unknown, unknown]): void {
    const isBytes = dtype instanceof PickledType && (dtype.name === 'u1' || dtype.name === '|u1');
    if (!isBytes || fortran === true || fortran === 1) return;
    if (typeof data === 'string') this.planes = byteText(data);
    else if (data instanceof Uint8Array) this.planes = data;
  }
}

class PickledType {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  __setstate__(): void {}
}

/** Python 2 pickled bytes as text; the parser reads it byte for byte by this table, which is turned round here. */
const byteOf = new Map(
  Array.from({ length: 256 }, (_, byte) => [new TextDecoder('ascii').decode(Uint8Array.of(byte)), byte]),
);

function byteText(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => byteOf.get(character)!);
}

class KnownNames extends NameRegistry {
  override onMissingName(module: string, name: string): never {
    throw new Error(`it calls for ${module}.${name}`);
  }
}

const reconstruct = () => new PickledArray();
const names = new KnownNames()
  .register('numpy.core.multiarray', '_reconstruct', reconstruct)
  .register('numpy._core.multiarray', '_reconstruct', reconstruct)
  .register('numpy', 'ndarray', PickledArray)
  .register('numpy', 'dtype', (name: string) => new PickledType(name))
  .register('_codecs', 'encode', (text: string) => Buffer.from(text, 'latin1'));
