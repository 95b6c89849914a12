import { codeFrame, type Diagnostic, PipelineError } from './diagnostic.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';

/** Offsets into the text of the pipeline file, end excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The text that spans point into. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** Errors after which the check of a file ends: each takes time, and more of them say no more. */
const mostErrors = 500;

/** Gathers what is wrong with the text of one file, so that one run tells all of it; all but of a file that is wrong throughout. */
export class TextDiagnostics {
  readonly #source: SourceText;
  readonly #lines: readonly string[];
  readonly #starts: readonly number[];
  readonly #found = new Map<string, Found>();
  readonly #errorsAt = new Set<number>();
  #errors = 0;

  constructor(source: SourceText) {
    this.#source = source;
    this.#lines = source.text.split(/\r?\n/);
    this.#starts = [0, ...Array.from(source.text.matchAll(/\n/g), (match) => match.index + 1)];
  }

  /**
   * `where` (" in cell `seed=1`") ends the message. What is wrong at one place in many cells is told once: of the first, with the number of
   * the others. Throws {@link PipelineError} where that is one error too many.
   */
  error(code: DiagnosticCode, span: Span, message: string, cure?: Cure, where = ''): void {
    if (!this.#add('error', code, span, message, cure, where) || ++this.#errors < mostErrors) return;
    const end = `the check ends here, after ${mostErrors} errors`;
    this.#add(
      'error',
      'too-many-errors',
      span,
      end,
      'mend the first ones: the others may have the same cause',
      '',
    );
    this.throwIfErrors();
  }

  warning(code: DiagnosticCode, span: Span, message: string, cure?: string): void {
    this.#add('warning', code, span, message, cure, '');
  }

  get hasErrors(): boolean {
    return this.#errorsAt.size > 0;
  }

  /** True if an error is already known at this place, which another one would only echo. */
  hasErrorAt(span: Span): boolean {
    const end = Math.max(span.end, span.start + 1);
    if (end - span.start > this.#errorsAt.size)
      return [...this.#errorsAt].some((start) => start >= span.start && start < end);
    for (let start = span.start; start < end; start++) if (this.#errorsAt.has(start)) return true;
    return false;
  }

  /** Everything found, sorted by position; at one position in the order in which it was found. */
  get found(): Diagnostic[] {
    return [...this.#found.values()]
      .sort((a, b) => a.start - b.start)
      .map(({ start: _, last: __, more, ...diagnostic }) => ({
        ...diagnostic,
        message: diagnostic.message + (more === 0 ? '' : ` and ${more} more`),
      }));
  }

  /** Throws {@link PipelineError} with everything found, if any of it is an error. */
  throwIfErrors(): void {
    if (this.hasErrors) throw new PipelineError(this.found);
  }

  /** 1-based line of an offset. */
  lineOf(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** Returns whether it is news. */
  #add(
    severity: Diagnostic['severity'],
    code: DiagnosticCode,
    span: Span,
    message: string,
    cure: Cure,
    where: string,
  ): boolean {
    const start = Math.max(0, Math.min(span.start, this.#source.text.length));
    const line = this.lineOf(start);
    const column = start - this.#starts[line - 1]! + 1;
    const length = Math.max(1, span.end - start);
    const key = `${start}:${where === '' ? message : code}`;
    const known = this.#found.get(key);
    if (known !== undefined) {
      if (known.last !== where) known.more++;
      known.last = where;
      return false;
    }
    if (severity === 'error') this.#errorsAt.add(start);
    const told = typeof cure === 'function' ? cure() : cure;
    const end = Math.min(start + length, this.#source.text.length);
    const endLine = this.lineOf(end);
    this.#found.set(key, {
      severity,
      code,
      file: this.#source.file,
      line,
      column,
      endLine,
      endColumn: end - this.#starts[endLine - 1]! + 1,
      message: legible(message) + where,
      ...(told === undefined ? {} : { cure: legible(told) }),
      frame: this.#source.text === '' ? '' : codeFrame(this.#lines, line, column, length),
      start,
      last: where,
      more: 0,
    });
    return true;
  }
}

/** What to do; as a function where finding it out takes a while, which is in vain for what has been told. */
export type Cure = string | undefined | (() => string | undefined);

/** A diagnostic while more of its kind may come. */
type Found = Diagnostic & { readonly start: number; last: string; more: number };

/** Names, values and lists in a message are shortened: a file may have keys of a million characters. */
function legible(text: string): string {
  const short = text.replace(/`[^`]{100,}`/g, (name) => `${name.slice(0, 60)}...\``);
  return short.length > 1500 ? `${short.slice(0, 1500)}...` : short;
}
