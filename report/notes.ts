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

/** What the stages of a study remarked, by kind: warnings first, and of cells that failed first. */
export function noteKinds(study: Study): NoteKind[] {
  const { cells, result } = study;
  const kinds = new Map<string, { stage: string; isWarning: boolean; wordings: Map<string, string[]> }>();
  const add = (stage: string, text: string, isWarning: boolean, cellId?: string): void => {
    const name = JSON.stringify([stage, isWarning, text.replaceAll(/\d+(?:[.,]\d+)*(?:e[+-]?\d+)?/g, '#')]);
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
