/**
 * Whether the bytes of an Arrow IPC file hold what they say, before they are decoded. They may come from elsewhere: a header of a hundred bytes can say that there
 * are a trillion rows, fields or texts, and a decoder that believes it takes the memory. Here each count is held against the bytes that are there, and
 * nothing may be counted twice. Only what artifacts consist of is let through: numbers, texts and fixed-size lists, no nulls, no dictionaries, not compressed.
 */
import type { Field } from 'apache-arrow/fb/field';
import { FixedSizeList } from 'apache-arrow/fb/fixed-size-list';
import { FloatingPoint } from 'apache-arrow/fb/floating-point';
import { Footer } from 'apache-arrow/fb/footer';
import { Int } from 'apache-arrow/fb/int';
import type { KeyValue } from 'apache-arrow/fb/key-value';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { RecordBatch } from 'apache-arrow/fb/record-batch';
import type { Schema } from 'apache-arrow/fb/schema';
import { Type } from 'apache-arrow/fb/type';
import { ByteBuffer, Encoding } from 'flatbuffers';

const magic = 'ARROW1';
/** The length of the footer, and the magic word. */
export const tailBytes = 4 + magic.length;
const blockBytes = 24;

/** How a column lies in a batch. */
type Layout = { readonly width: number; readonly list?: number } | 'utf8';

/** Length of the footer in the last {@link tailBytes} of a file of `size` bytes. Throws `Error` if they are not those of an Arrow file. */
export function footerLength(tail: Uint8Array, size: number): number {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  if (tail.length < tailBytes || Buffer.from(tail.subarray(4)).toString('latin1') !== magic)
    throw new Error('it does not end as one');
  const length = view.getInt32(0, true);
  if (length <= 0 || length > size - tailBytes) throw new Error(`its footer has ${length} of ${size} bytes`);
  return length;
}

/** Throws `Error` if a footer says more than it has. Gives the layout of the columns, in their order. */
export function checkFooter(bytes: Uint8Array): readonly Layout[] {
  const footer = Footer.getRootAsFooter(new ByteBuffer(bytes));
  const schema = footer.schema();
  if (schema === null) throw new Error('it has no schema');
  if (footer.dictionariesLength() !== 0) throw new Error('it has dictionaries');
  if (footer.recordBatchesLength() * blockBytes > bytes.length)
    throw new Error(`its footer of ${bytes.length} bytes counts ${footer.recordBatchesLength()} batches`);
  return checkSchema(schema, bytes.length);
}

/** Throws `Error` if the bytes of a file do not hold what they say. */
export function checkArrowFile(bytes: Uint8Array): void {
  const length = footerLength(bytes.subarray(-tailBytes), bytes.length);
  const footerAt = bytes.length - tailBytes - length;
  const footerBytes = bytes.subarray(footerAt, footerAt + length);
  const layouts = checkFooter(footerBytes);
  const footer = Footer.getRootAsFooter(new ByteBuffer(footerBytes));
  let end = 0;
  for (let index = 0; index < footer.recordBatchesLength(); index++) {
    const offset = Number(footer.recordBatches(index)!.offset());
    if (offset < end) throw new Error(`batch ${index} overlaps with another`);
    end = checkBatch(bytes.subarray(0, footerAt), offset, layouts, `batch ${index}`);
  }
}

function checkSchema(schema: Schema, size: number): Layout[] {
  let left = size;
  const spend = (bytes: number): void => {
    left -= bytes;
    if (left < 0) throw new Error(`its footer of ${size} bytes counts more fields or words than it has`);
  };
  const checkWords = (of: Schema | Field): void => {
    spend(4 * of.customMetadataLength());
    for (let index = 0; index < of.customMetadataLength(); index++)
      spend(wordBytes(of.customMetadata(index)!));
  };
  const checkField = (field: Field): void => {
    spend(4 + textBytes(field.name(Encoding.UTF8_BYTES)));
    checkWords(field);
    if (field.dictionary() !== null) throw new Error('it has dictionaries');
  };
  checkWords(schema);
  spend(4 * schema.fieldsLength());
  return Array.from({ length: schema.fieldsLength() }, (_, index) => {
    const field = schema.fields(index)!;
    checkField(field);
    if (field.typeType() !== Type.FixedSizeList) return layoutOf(field);
    const child = field.childrenLength() === 1 ? field.children(0) : null;
    const size = (field.type(new FixedSizeList()) as FixedSizeList).listSize();
    const item = child === null ? 'utf8' : layoutOf(child);
    if (child === null || item === 'utf8' || size < 0)
      throw new Error(`column ${index} is no list of numbers`);
    checkField(child);
    return { ...item, list: size };
  });
}

function wordBytes(word: KeyValue): number {
  return textBytes(word.key(Encoding.UTF8_BYTES)) + textBytes(word.value(Encoding.UTF8_BYTES));
}

function textBytes(text: string | Uint8Array | null): number {
  return text?.length ?? 0;
}

function layoutOf(field: Field): Layout {
  const type = field.typeType();
  if (field.childrenLength() === 0) {
    if (type === Type.Utf8) return 'utf8';
    if (type === Type.Int) return { width: (field.type(new Int()) as Int).bitWidth() / 8 };
    if (type === Type.FloatingPoint)
      return { width: 2 << (field.type(new FloatingPoint()) as FloatingPoint).precision() };
  }
  throw new Error(`it has a column of a type that no artifact has (${Type[type] ?? type})`);
}

/** Throws `Error` if a batch of records says more than it has. Gives where it ends. */
function checkBatch(file: Uint8Array, offset: number, layouts: readonly Layout[], name: string): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at = offset + (offset + 8 <= file.length && view.getInt32(offset, true) === -1 ? 4 : 0);
  const metadataBytes = at + 4 <= file.length ? view.getInt32(at, true) : 0;
  const bodyAt = at + 4 + metadataBytes;
  if (metadataBytes <= 0 || bodyAt > file.length) throw new Error(`${name} is not in it`);
  const message = Message.getRootAsMessage(new ByteBuffer(file.subarray(at + 4, bodyAt)));
  const bodyBytes = Number(message.bodyLength());
  if (message.headerType() !== MessageHeader.RecordBatch) throw new Error(`${name} is none`);
  if (bodyBytes < 0 || bodyAt + bodyBytes > file.length)
    throw new Error(`${name} says that it has ${bodyBytes} bytes, which are not in it`);
  if (message.customMetadataLength() !== 0) throw new Error(`${name} has metadata of its own`);
  const header = message.header(new RecordBatch()) as RecordBatch;
  if (header.compression() !== null) throw new Error(`${name} is compressed, as no artifact is`);
  new BatchCheck(header, file.subarray(bodyAt, bodyAt + bodyBytes), name).run(layouts);
  return bodyAt + bodyBytes;
}

/** Goes through the counts and buffers of a batch in their order. */
class BatchCheck {
  readonly #header: RecordBatch;
  readonly #body: Uint8Array;
  readonly #name: string;
  #node = 0;
  #buffer = 0;
  /** Where the last buffer ended: what overlaps would be counted twice. */
  #end = 0;

  constructor(header: RecordBatch, body: Uint8Array, name: string) {
    this.#header = header;
    this.#body = body;
    this.#name = name;
  }

  run(layouts: readonly Layout[]): void {
    const rows = Number(this.#header.length());
    const lists = layouts.filter((layout) => layout !== 'utf8' && layout.list !== undefined).length;
    const texts = layouts.filter((layout) => layout === 'utf8').length;
    const [nodes, buffers] = [layouts.length + lists, 2 * layouts.length + lists + texts];
    const { nodesLength, buffersLength, variadicBufferCountsLength } = counts(this.#header);
    if (nodesLength !== nodes || buffersLength !== buffers || variadicBufferCountsLength !== 0)
      this.#fail(
        `has ${nodesLength} counts and ${buffersLength} buffers in place of ${nodes} and ${buffers}`,
      );
    for (const layout of layouts) {
      this.#mustCount(rows);
      this.#next(0);
      if (layout === 'utf8') this.#checkTexts(rows);
      else if (layout.list === undefined) this.#next(rows * layout.width);
      else {
        this.#mustCount(rows * layout.list);
        this.#next(0);
        this.#next(rows * layout.list * layout.width);
      }
    }
  }

  /** The next count must be this one, and none of them may be missing. */
  #mustCount(expected: number): void {
    const node = this.#header.nodes(this.#node++)!;
    if (Number(node.length()) !== expected || node.nullCount() !== 0n)
      this.#fail(
        `counts ${node.length()} values, ${node.nullCount()} of them missing, in place of ${expected}`,
      );
  }

  /** The next buffer, which must have so many bytes. */
  #next(bytes: number): Uint8Array {
    const buffer = this.#header.buffers(this.#buffer++)!;
    const [offset, length] = [Number(buffer.offset()), Number(buffer.length())];
    if (length < bytes) this.#fail(`needs ${bytes} bytes for a column that has ${length}`);
    if (length === 0) return this.#body.subarray(0, 0);
    if (offset < this.#end || offset + length > this.#body.length)
      this.#fail(`has a buffer of ${length} bytes at ${offset}, which is not there or another's`);
    this.#end = offset + length;
    return this.#body.subarray(offset, offset + length);
  }

  #checkTexts(rows: number): void {
    const offsets = this.#next(rows === 0 ? 0 : 4 * (rows + 1));
    const texts = this.#next(0);
    const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
    let end = 0;
    for (let row = 0; rows > 0 && row <= rows; row++) {
      const next = view.getInt32(4 * row, true);
      if (next < end || next > texts.length)
        this.#fail(`has a text that ends at ${next} of ${texts.length} bytes`);
      end = next;
    }
  }

  #fail(what: string): never {
    throw new Error(`${this.#name} ${what}`);
  }
}

function counts(header: RecordBatch) {
  return {
    nodesLength: header.nodesLength(),
    buffersLength: header.buffersLength(),
    variadicBufferCountsLength: header.variadicBufferCountsLength(),
  };
}
