import type { StageFailure } from '../workflows/messages.ts';
import type { Study } from './read-study.ts';

/** Notes that differ in numbers only, of one stage. */
export interface NoteKind {
  readonly stage: string;
  readonly isWarning: boolean;
  /** Each wording, with the cells that have it; a note of a stage over all cells has none. */
  readonly wordings: ReadonlyMap<string, readonly string[]>;
  /** The cells that have any of them. */
  readonly cells: readonly string[];
}

/** Text without its numbers: what differs in them only is of one kind. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+(?:[.,]\d+)*(?:e[+-]?\d+)?/g, '#');
}

/** What the stages of a study remarked, by kind: warnings first, and of cells that failed first. */
export function noteKinds(study: Study): NoteKind[] {
  const { cells, result } = study;
  const kinds = new Map<string, { stage: string; isWarning: boolean; wordings: Map<string, string[]> }>();
  const add = (stage: string, text: string, isWarning: boolean, cellId?: string): void => {
    const name = JSON.stringify([stage, isWarning, withoutNumbers(text)]);
    const kind = kinds.get(name) ?? { stage, isWarning, wordings: new Map<string, string[]>() };
    kinds.set(name, kind);
    const places = kind.wordings.get(text) ?? [];
    kind.wordings.set(text, places);
    if (cellId !== undefined) places.push(cellId);
  };
  for (const { id } of study.ordered) {
    for (const [stage, { notes, warnings = [] }] of Object.entries(cells.get(id)?.stages ?? {})) {
      for (const note of notes) add(stage, note, warnings.includes(note), id);
    }
  }
  for (const [stage, { notes, warnings = [] }] of Object.entries(result?.collect ?? {})) {
    for (const note of notes) add(stage, note, warnings.includes(note));
  }
  return [...kinds.values()]
    .map((kind) => ({ ...kind, cells: [...new Set([...kind.wordings.values()].flat())] }))
    .sort((a, b) => Number(b.isWarning) - Number(a.isWarning));
}

/** Failures that differ in numbers only, of one stage. */
export interface FailureKind {
  readonly stage: string;
  readonly cure?: string;
  /** Each wording, with the cells that failed so. */
  readonly wordings: ReadonlyMap<string, readonly string[]>;
  readonly cells: readonly string[];
}

/** How the cells of a study failed, and its stages over all cells: what most of them have comes first. */
export function failureKinds({ ordered, cells, result }: Study): FailureKind[] {
  interface Kind extends FailureKind {
    readonly wordings: Map<string, string[]>;
    readonly cells: string[];
  }
  const kinds = new Map<string, Kind>();
  const add = (cellId: string, { stage, message, cure }: StageFailure): void => {
    const name = JSON.stringify([stage, withoutNumbers(message), withoutNumbers(cure ?? '')]);
    const kind = kinds.get(name) ?? {
      ...{ stage, wordings: new Map<string, string[]>(), cells: [] },
      ...(cure === undefined ? {} : { cure }),
    };
    kinds.set(name, kind);
    kind.cells.push(cellId);
    const places = kind.wordings.get(message) ?? [];
    kind.wordings.set(message, places);
    places.push(cellId);
  };
  for (const { id } of ordered) {
    const failure = cells.get(id)?.failure;
    if (failure !== undefined) add(id, failure);
  }
  for (const failure of result?.failures ?? []) if (!cells.has(failure.cellId)) add(failure.cellId, failure);
  return [...kinds.values()].toSorted((a, b) => b.cells.length - a.cells.length);
}
