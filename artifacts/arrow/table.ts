import type { Described } from './metadata.ts';

/** A fixed-size list column of one record batch, flat and without a copy: row r is `values.subarray(r * size, (r + 1) * size)`. */
export interface VectorBatch<T extends Float32Array | Uint8Array = Float32Array | Uint8Array> {
  readonly firstRow: number;
  readonly rows: number;
  readonly size: number;
  readonly values: T;
}

/** An opened Arrow file whose digest was checked. */
export interface ArrowTable extends Described {
  readonly rows: number;
  readonly columns: readonly string[];
  /** A scalar numeric column as doubles (int64 must be below 2^53). Throws if there is no such column, naming those there are. */
  numbers(column: string): Float64Array;
  strings(column: string): string[];
  /** A fixed-size list of float32, batch by batch. */
  floatVectors(column: string): Iterable<VectorBatch<Float32Array>>;
  /** A fixed-size list of uint8, batch by batch. */
  byteVectors(column: string): Iterable<VectorBatch<Uint8Array>>;
  /** One row of a fixed-size list of float32. */
  floatVector(column: string, row: number): Float32Array;
  /** One row as plain values (numbers and strings only). */
  row(index: number): Record<string, number | string>;
}
