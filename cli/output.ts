import pc from 'picocolors';
import { jsonPieces } from './json.ts';
import { standardError, standardOutput } from './streams.ts';

/** Where a command speaks: results on standard output; with `--json` only the JSON goes there, and what is for people to standard error. */
export interface Output {
  readonly json: boolean;
  /** True where a person looks at a terminal. */
  readonly interactive: boolean;
  /** Width of the terminal; infinite where there is none. */
  readonly columns: number;
  /** False once nobody reads standard output any more. */
  readonly open: boolean;
  /** A line for people. */
  line(text?: string): void;
  /** A warning for people, always on standard error. */
  warn(text: string): void;
  /** The machine-readable result. */
  result(value: unknown): void;
  /** A result that is text, for machines too. */
  text(text: string): void;
}

export function createOutput(json: boolean): Output {
  const people = json ? standardError : standardOutput;
  return {
    json,
    interactive: !json && process.stdout.isTTY === true,
    columns: (!json && process.stdout.columns) || Number.POSITIVE_INFINITY,
    get open() {
      return standardOutput.open;
    },
    line: (text = '') => people.write(`${text}\n`),
    warn: (text) => standardError.write(`${text}\n`),
    text: (text) => standardOutput.write(text),
    result: (value) => standardOutput.writeAll(withNewline(jsonPieces(value))),
  };
}

function* withNewline(pieces: Iterable<string>): Generator<string> {
  yield* pieces;
  yield '\n';
}

/**
 * Lines of columns, padded to the widest entry of each. Where a line would be longer than `width`, the first entry of each row stands on a line
 * of its own, and the others below it.
 */
export function table(
  rows: readonly (readonly string[])[],
  header?: readonly string[],
  width = Number.POSITIVE_INFINITY,
): string {
  const all = header === undefined ? rows : [header, ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]!.length))) ?? [];
  if (widths.reduce((sum, entry) => sum + entry + 2, -2) > width && widths.length > 1) {
    const below = table(
      rows.map((row) => row.slice(1)),
      undefined,
    ).split('\n');
    return rows.map(([first], index) => `${pc.bold(first)}\n  ${below[index]}`).join('\n');
  }
  const format = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  const lines = rows.map(format);
  return (header === undefined ? lines : [pc.bold(format(header)), ...lines]).join('\n');
}
