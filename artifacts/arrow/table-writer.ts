/** Values of one column of one batch. Fixed-size lists are flat; their size is values.length / rows, the same in every batch. */
export type ColumnValues =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint8Array
  | readonly number[]
  | readonly string[];

/** Appends record batches to one Arrow file. */
export interface TableWriter {
  /**
   * One record batch: exactly the columns of the artifact's kind (`columns.ts`), all of the same number of rows. A batch without rows does not
   * tell how long its lists would be: `listSizes` does, by column.
   */
  append(
    columns: Readonly<Record<string, ColumnValues>>,
    listSizes?: Readonly<Record<string, number>>,
  ): void | Promise<void>;
}
