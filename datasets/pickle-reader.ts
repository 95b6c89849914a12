import { BufferReader } from 'pickleparser';

/**
 * What a dictionary of numbers, texts and NumPy arrays is pickled with, in protocols 2 to 5. The others build objects of classes, or sets, or what is meant for
 * other pickles.
 */
const operations = new Set(
  [
    [0x28, 0x2e, 0x30, 0x31, 0x32], // MARK STOP POP POP_MARK DUP
    [0x4a, 0x4b, 0x4d, 0x4e, 0x88, 0x89], // BININT BININT1 BININT2 NONE NEWTRUE NEWFALSE
    [0x54, 0x55, 0x58, 0x8c, 0x8d], // BINSTRING SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE BINUNICODE8
    [0x42, 0x43, 0x8e, 0x96, 0x98], // BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 READONLY_BUFFER
    [0x29, 0x74, 0x85, 0x86, 0x87], // EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    [0x5d, 0x61, 0x65, 0x7d, 0x73, 0x75], // EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS
    [0x68, 0x6a, 0x71, 0x72, 0x94], // BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE
    [0x80, 0x95, 0x63, 0x93, 0x52, 0x62], // PROTO FRAME GLOBAL STACK_GLOBAL REDUCE BUILD
  ].flat(),
);

const [reduce, build] = [0x52, 0x62];
/** Each makes at most as much as the file has: a batch needs two of each, for its array and the type of that. */
const mostCalls = 8;
/** Each makes one small object: a batch needs about four for each image, its label and its name. */
const mostOperations = 400_000;

/**
 * The bytes of a pickle, of which each byte can make the parser hold far more: a copy of all that was read before. So only those operations are let through that
 * such files need, and no more than they need of them. Throws `Error` at the first one beyond.
 */
export class BoundedReader extends BufferReader {
  #isNext = false;
  #operations = 0;
  #calls = 0;

  /** The parser asks before each operation. */
  override hasNext(): boolean {
    this.#isNext = true;
    return super.hasNext();
  }

  override byte(): number {
    const value = super.byte();
    if (this.#isNext) this.#count(value);
    this.#isNext = false;
    return value;
  }

  /** A length of less than nothing would read the same bytes again, and never end. */
  override skip(offset: number): void {
    if (offset < 0) throw new Error(`it has a length of ${offset}`);
    super.skip(offset);
  }

  #count(operation: number): void {
    if (!operations.has(operation))
      throw new Error(`it has the operation 0x${operation.toString(16)}, which no batch has`);
    if (operation === reduce || operation === build) this.#calls++;
    this.#operations++;
    if (this.#calls > mostCalls || this.#operations > mostOperations)
      throw new Error(
        `it takes more than the ${mostCalls} calls and ${mostOperations} operations of a batch`,
      );
  }
}
