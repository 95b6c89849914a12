import pc from 'picocolors';
import { countOf } from '../../report/numbers.ts';
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

/** Lines of a list on a terminal at most; who reads from a pipe or a file gets all of it, since what looks for one line must find it. */
export const linesOnTerminal = 100;

/** A list as far as it is shown, and a line that says how much of how much that is and where the rest is, if some is left out. */
export function cutForTerminal<T>(
  { interactive }: Pick<Output, 'interactive'>,
  items: readonly T[],
  noun: string,
  most = linesOnTerminal,
): { readonly shown: readonly T[]; readonly cut: readonly string[] } {
  if (!interactive || items.length <= most) return { shown: items, cut: [] };
  const are = `${countOf(most, items.length, noun)} ${most === 1 ? 'is' : 'are'} listed`;
  return { shown: items.slice(0, most), cut: [`${are}; --json has all, and so has a pipe`] };
}

function* withNewline(pieces: Iterable<string>): Generator<string> {
  yield* pieces;
  yield '\n';
}

/**
 * Lines of columns, padded to the widest entry of each. Where a line would be longer than `width`, the first entry of each row stands on a line
 * of its own and the others below it, if need be each on a line.
 */
export function table(
  rows: readonly (readonly string[])[],
  header?: readonly string[],
  width = Number.POSITIVE_INFINITY,
): string {
  const all = header === undefined ? rows : [header, ...rows];
  if (lineLength(all) > width) {
    const others = rows.map((row) => row.slice(1));
    const filled = (row: readonly string[]) => row.filter((cell) => cell !== '').join('\n  ');
    const below = lineLength(others) + 2 > width ? others.map(filled) : pad(others);
    return rows
      .map(([first], index) =>
        [pc.bold(first!), ...(below[index] === '' ? [] : [`  ${below[index]}`])].join('\n'),
      )
      .join('\n');
  }
  const [first, ...lines] = pad(all);
  return [header === undefined ? first : pc.bold(first!), ...lines].join('\n');
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widest = (column: number) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0);
  return (rows[0] ?? []).map((_, column) => widest(column));
}

function lineLength(rows: readonly (readonly string[])[]): number {
  return columnWidths(rows).reduce((sum, width) => sum + width + 2, -2);
}

function pad(rows: readonly (readonly string[])[]): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}
