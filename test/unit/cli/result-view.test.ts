import { describe, expect, test } from 'vitest';
import { formatNotes, formatWarnings } from '../../../cli/result-view.ts';
import type { NoteKind } from '../../../report/notes.ts';

const kindOf = (text: string, cells: readonly string[], isWarning = false): NoteKind => ({
  ...{ stage: 'fit', isWarning, wordings: new Map([[text, cells]]), cells },
});

describe('notes at the end of a study', () => {
  const kinds = [
    kindOf('It diverged.', ['seed=2'], true),
    kindOf('Few directions.', ['a', 'b', 'c', 'd', 'e']),
  ];

  test('are grouped by kind, each with its cells', () => {
    expect(formatNotes(kinds, 8, true)).toEqual([
      expect.stringMatching(/note.* fit: Few directions\. \(5 cells: a; b; c and 2 more\)$/),
    ]);
  });

  test('warnings stand apart', () => {
    expect(formatWarnings(kinds, 8)).toEqual([
      expect.stringMatching(/warning.* fit: It diverged\. \(1 cell: seed=2\)$/),
    ]);
  });

  test('what is not shown is counted, and the report is named only if there is one', () => {
    const many = Array.from({ length: 15 }, (_, i) => kindOf(`Remark ${'x'.repeat(i)}.`, ['a']));
    expect(formatNotes(many, 8, true).at(-1)).toMatch(/and 3 more kinds; the report has all of them$/);
    expect(formatNotes(many, 8, false).at(-1)).toMatch(/and 3 more kinds$/);
  });
});
