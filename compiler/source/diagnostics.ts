import type { DiagnosticCode } from '../diagnostics/diagnostic-codes.ts';
import { type Cure, type Span, TextDiagnostics } from '../diagnostics/text-diagnostics.ts';
import type { Path } from '../values.ts';
import { spanInText, spanOfKey, spanOfValue, type YamlSource } from './yaml-source.ts';

/** A place in a pipeline file: the value at a path, or a span. */
export type Place = Path | Span;

/** Gathers what is wrong with a pipeline file that could be parsed, at the places of its parts. All checks of one file report to one of these. */
export class Diagnostics extends TextDiagnostics {
  readonly source: YamlSource;

  constructor(source: YamlSource) {
    super(source);
    this.source = source;
  }

  override error(code: DiagnosticCode, place: Place, message: string, cure?: Cure, where?: string): void {
    super.error(code, this.#spanOf(place), message, cure, where);
  }

  override warning(code: DiagnosticCode, place: Place, message: string, cure?: string): void {
    super.warning(code, this.#spanOf(place), message, cure);
  }

  /** As {@link spanOfValue}. */
  spanOfValue(path: Path): Span {
    return spanOfValue(this.source, path);
  }

  /** As {@link spanOfKey}. */
  spanOfKey(path: Path): Span {
    return spanOfKey(this.source, path);
  }

  /** As {@link spanInText}. */
  spanInText(path: Path, offset: number, length: number): Span {
    return spanInText(this.source, path, offset, length);
  }

  #spanOf(place: Place): Span {
    return isPath(place) ? this.spanOfValue(place) : place;
  }
}

function isPath(place: Place): place is Path {
  return Array.isArray(place);
}
