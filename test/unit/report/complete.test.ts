/** Lists of the report that have all there is, however long; what is long is folded. */
import { describe, expect, it } from 'vitest';
import type { KeyResults } from '../../../report/key-results.ts';
import type { NoteKind } from '../../../report/notes.ts';
import { notesNotice, warningNotice } from '../../../report/page/notices.ts';
import { rowsTable } from '../../../report/page/result-tables.ts';
import type { ResultRow } from '../../../report/result-rows.ts';

const unfolded = (page: string) => page.replace(/<details>.*<\/details>/gs, '');

describe('a thousand kinds of notes', () => {
  const kinds = (isWarning: boolean): NoteKind[] =>
    Array.from({ length: 1000 }, (_, index) => ({
      ...{ stage: 'train', isWarning, cells: [`cell-${index}`] },
      wordings: new Map([[`Remark ${index}.`, [`cell-${index}`]]]),
    }));

  it.each([
    ['notes', () => notesNotice(kinds(false), ['A problem.'])!, 981],
    ['warnings', () => warningNotice(kinds(true))!, 980],
  ])('are all there, twenty of them open: %s', (_what, notice, rest) => {
    const { text } = notice();
    for (let index = 0; index < 1000; index++) expect(text).toContain(`Remark ${index}.`);
    expect(text).toContain(`<summary>${rest} more kinds</summary>`);
    expect(unfolded(text).match(/Remark/g)).toHaveLength(20);
  });
});

it('a note of a thousand cells is one line, and names all of them', () => {
  const cells = Array.from({ length: 1000 }, (_, index) => `cell-${index}.`);
  const wordings = new Map(cells.map((cell, index) => [`Lost ${index} examples.`, [cell]]));
  const { text } = notesNotice([{ stage: 'train', isWarning: false, wordings, cells }], [])!;
  expect(unfolded(text).match(/<li>/g)).toHaveLength(1);
  expect(unfolded(text)).toContain('train, 1,000 cells');
  for (const cell of cells) expect(text).toContain(cell);
});

describe('the results', () => {
  const rowsOf = (length: number): ResultRow[] =>
    Array.from({ length }, (_, index) => ({
      ...{ axes: length === 1 ? {} : { batchSize: 1000 + index }, cells: 3, of: 4 },
      quantities: [
        { stage: 'fit', name: 'tau_sgd', value: 12, error: 2, theory: 10, deviation: 1, cells: 3 },
        { stage: 'train', name: 'test_accuracy', value: 0.5, cells: 3 },
      ],
    }));
  const results: KeyResults = {
    ...{ parameters: [], training: [], evaluations: [], problems: [] },
    available: { parameters: 0, training: 0, evaluations: 0 },
    read: { parameters: 0, training: 0, evaluations: 0 },
  };

  it('have a row for each combination of axes, with every quantity', () => {
    for (const length of [2, 20, 150]) {
      const { text } = rowsTable(rowsOf(length), results)!;
      for (let index = 0; index < length; index++) expect(text).toContain(`>${1000 + index}<`);
      expect(text.match(/12\.0 ± 2\.0 \(10; \+1\)/g)).toHaveLength(length);
      expect(text.match(/50 %/g)).toHaveLength(length);
      expect(text.match(/3 of 4 cells/g)).toHaveLength(length);
      expect(text.includes(`<summary>${length} rows</summary>`)).toBe(length > 20);
    }
  });

  it('of a single row stand below each other', () => {
    const { text } = rowsTable(rowsOf(1), results)!;
    expect(text.match(/<tr>/g)).toHaveLength(4);
    expect(text.replace(/<[^>]*>/g, ' ')).toMatch(/tau_sgd\s+12\.0 ± 2\.0[\s\S]*test accuracy\s+50 %/);
  });
});
