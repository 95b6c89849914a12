import { createColors } from 'picocolors';
import { InputError } from '../../artifacts/errors.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';

/** One thing that is wrong, or doubtful, in a pipeline file: where, what, and what to do. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
  /** Where it ends; the column is that after the last character. */
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  readonly cure?: string;
  /** The lines around it with a caret below; empty if the file is. */
  readonly frame: string;
}

/**
 * Thrown when a pipeline is wrong. `diagnostics` holds everything that could be found in one pass, errors and warnings, sorted by position;
 * `message` is all of it as text.
 */
export class PipelineError extends InputError {
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(formatDiagnostics(diagnostics));
    this.diagnostics = diagnostics;
  }
}

/**
 * A diagnostic as compilers print it:
 *
 * ```text
 * pipelines/x.yaml:12:7 error: unknown key `epochz` in `stages.train.with`
 *   11 |     with:
 * > 12 |       epochz: 3
 *      |       ^^^^^^
 *   did you mean `epochs`?
 * ```
 */
export function formatDiagnostic(diagnostic: Diagnostic, options: { readonly color?: boolean } = {}): string {
  const colors = createColors(options.color ?? false);
  const tint = diagnostic.severity === 'error' ? colors.red : colors.yellow;
  const place = `${diagnostic.file}:${diagnostic.line}:${diagnostic.column}`;
  const lines = [
    `${colors.bold(harmless(place))} ${tint(colors.bold(`${diagnostic.severity}:`))} ${harmless(diagnostic.message)}`,
  ];
  if (diagnostic.frame !== '') {
    for (const line of diagnostic.frame.split('\n').map(harmless)) {
      lines.push(
        /^ +\| *\^+$/.test(line) ? line.replace(/\^+/, tint) : line.startsWith('>') ? line : colors.dim(line),
      );
    }
  }
  if (diagnostic.cure !== undefined) lines.push(`  ${colors.cyan(harmless(diagnostic.cure))}`);
  return lines.join('\n');
}

/** Diagnostics that are written out; of more, `--json` has all. */
const written = 20;

/** All diagnostics as text, errors first where there are too many, with an empty line between two. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: { readonly color?: boolean } = {},
): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const shown = diagnostics.length <= written ? diagnostics : [...errors, ...diagnostics].slice(0, written);
  const texts = shown.map((diagnostic) => formatDiagnostic(diagnostic, options));
  const left = diagnostics.length - shown.length;
  if (left > 0) texts.push(`... and ${left} more; \`epochal validate --json\` has all ${diagnostics.length}`);
  return texts.join('\n\n');
}

/** Text that comes from a file, for a terminal: control characters and those that turn the direction of writing are shown, not obeyed. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (character === '\t') return character;
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  });
}

/** Characters of a line that a frame shows. */
const frameWidth = 100;

/** The line of an error with the one before and after it, and carets below the span, clipped to its first line. */
export function codeFrame(lines: readonly string[], line: number, column: number, length: number): string {
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = Math.max(1, line - 1); number <= last; number++) {
    const text = lines[number - 1] ?? '';
    if (number !== line && text.trim() === '') continue;
    const shown = number === line ? windowAround(text, column - 1) : windowAround(text, 0);
    frame.push(`${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${shown.text}`.trimEnd());
    if (number !== line) continue;
    const indent = shown.text.slice(0, shown.at).replace(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(length, shown.text.length - shown.at)));
    frame.push(`  ${' '.repeat(width)} | ${indent}${carets}`);
  }
  return frame.join('\n');
}

/** The part of a long line around offset `at`, and where that is in the part. */
function windowAround(line: string, at: number): { readonly text: string; readonly at: number } {
  if (line.length <= frameWidth) return { text: line, at };
  const start = Math.max(0, Math.min(at - frameWidth / 4, line.length - frameWidth));
  const end = start + frameWidth;
  const before = start > 0 ? '...' : '';
  const after = end < line.length ? '...' : '';
  return { text: before + line.slice(start, end) + after, at: at - start + before.length };
}
