import { createColors } from 'picocolors';
import { InputError } from '../artifacts/errors.ts';

/** One thing that is wrong, or doubtful, in a pipeline file: where, what, and what to do. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
  readonly length?: number;
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
    super(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n\n'));
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
    `${colors.bold(place)} ${tint(colors.bold(`${diagnostic.severity}:`))} ${diagnostic.message}`,
  ];
  if (diagnostic.frame !== '') {
    for (const line of diagnostic.frame.split('\n')) {
      lines.push(
        /^ +\| *\^+$/.test(line) ? line.replace(/\^+/, tint) : line.startsWith('>') ? line : colors.dim(line),
      );
    }
  }
  if (diagnostic.cure !== undefined) lines.push(`  ${colors.cyan(diagnostic.cure)}`);
  return lines.join('\n');
}

/** The line of an error with the one before and after it, and carets below the span, clipped to its first line. */
export function codeFrame(lines: readonly string[], line: number, column: number, length: number): string {
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = Math.max(1, line - 1); number <= last; number++) {
    const text = lines[number - 1] ?? '';
    if (number !== line && text.trim() === '') continue;
    frame.push(`${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number !== line) continue;
    const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(length, text.length - column + 1)));
    frame.push(`  ${' '.repeat(width)} | ${indent}${carets}`);
  }
  return frame.join('\n');
}
