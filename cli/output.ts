import pc from 'picocolors';

/** Where a command speaks: results on standard output; with `--json` only the JSON goes there, and what is for people to standard error. */
export interface Output {
  readonly json: boolean;
  /** True where a person looks at a terminal. */
  readonly interactive: boolean;
  /** A line for people. */
  line(text?: string): void;
  /** A warning for people, always on standard error. */
  warn(text: string): void;
  /** The machine-readable result. */
  result(value: unknown): void;
}

export function createOutput(json: boolean): Output {
  const stream = json ? process.stderr : process.stdout;
  return {
    json,
    interactive: !json && process.stdout.isTTY === true,
    line: (text = '') => void stream.write(`${text}\n`),
    warn: (text) => void process.stderr.write(`${text}\n`),
    result: (value) => void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
  };
}

/** Lines of columns, padded to the widest entry of each. */
export function table(rows: readonly (readonly string[])[], header?: readonly string[]): string {
  const all = header === undefined ? rows : [header, ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]!.length))) ?? [];
  const format = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  const lines = rows.map(format);
  return (header === undefined ? lines : [pc.bold(format(header)), ...lines]).join('\n');
}
