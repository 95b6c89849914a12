import { codeFrame, type Diagnostic, PipelineError } from './diagnostic.ts';

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

/** Gathers what is wrong with one file, so that one run tells all of it. */
export class Problems {
  readonly #source: SourceText;
  readonly #lines: readonly string[];
  readonly #starts: readonly number[];
  readonly #found = new Map<string, Diagnostic & { readonly start: number }>();

  constructor(source: SourceText) {
    this.#source = source;
    this.#lines = source.text.split(/\r?\n/);
    this.#starts = [0, ...Array.from(source.text.matchAll(/\n/g), (match) => match.index + 1)];
  }

  /**
   * `where` (" in cell `seed=1`") ends the message; of errors that differ only in it and in what they got, the first is kept.
   */
  error(span: Span, message: string, cure?: string, where = ''): void {
    this.#add('error', span, message, cure, where);
  }

  warning(span: Span, message: string, cure?: string): void {
    this.#add('warning', span, message, cure, '');
  }

  get hasErrors(): boolean {
    return [...this.#found.values()].some(({ severity }) => severity === 'error');
  }

  /** True if an error is already known at this place, which another one would only echo. */
  hasErrorAt(span: Span): boolean {
    return [...this.#found.values()].some(
      ({ severity, start }) =>
        severity === 'error' && start >= span.start && start < Math.max(span.end, span.start + 1),
    );
  }

  /** Everything found, sorted by position; at one position in the order in which it was found. */
  get diagnostics(): Diagnostic[] {
    return [...this.#found.values()]
      .sort((a, b) => a.start - b.start)
      .map(({ start: _, ...diagnostic }) => diagnostic);
  }

  /** Throws {@link PipelineError} with everything found, if any of it is an error. */
  throwIfErrors(): void {
    if (this.hasErrors) throw new PipelineError(this.diagnostics);
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

  #add(
    severity: Diagnostic['severity'],
    span: Span,
    message: string,
    cure: string | undefined,
    where: string,
  ): void {
    const start = Math.max(0, Math.min(span.start, this.#source.text.length));
    const line = this.lineOf(start);
    const column = start - this.#starts[line - 1]! + 1;
    const length = Math.max(1, span.end - start);
    const key = `${start}:${where === '' ? message : message.replace(/, got .*$/s, '')}`;
    if (this.#found.has(key)) return;
    this.#found.set(key, {
      severity,
      file: this.#source.file,
      line,
      column,
      length,
      message: message + where,
      ...(cure === undefined ? {} : { cure }),
      frame: this.#source.text === '' ? '' : codeFrame(this.#lines, line, column, length),
      start,
    });
  }
}
