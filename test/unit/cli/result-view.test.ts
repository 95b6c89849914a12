import { describe, expect, test } from 'vitest';
import { formatNotes, formatResults, formatWarnings } from '../../../cli/progress/result-view.ts';
import type { KeyResults } from '../../../report/key-results.ts';
import type { NoteKind } from '../../../report/notes.ts';
import type { Study } from '../../../report/read-study.ts';
import { resultRows } from '../../../report/result-rows.ts';
import { plannedCell, plannedStage, planOf } from '../../fixtures/plans.ts';

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
    expect(formatWarnings(kinds, 8, true)).toEqual([
      expect.stringMatching(/warning.* fit: It diverged\. \(1 cell: seed=2\)$/),
    ]);
  });

  test('what is not shown is counted, and the report is named only if there is one', () => {
    const many = Array.from({ length: 15 }, (_, i) => kindOf(`Remark ${'x'.repeat(i)}.`, ['a']));
    expect(formatNotes(many, 8, true).at(-1)).toMatch(/and 3 more kinds; the report has all of them$/);
    expect(formatNotes(many, 8, false).at(-1)).toMatch(/and 3 more kinds$/);
    const warnings = many.map((kind) => ({ ...kind, isWarning: true }));
    expect(formatWarnings(warnings, 8, true)).toHaveLength(13);
    expect(formatWarnings(warnings, 8, true).at(-1)).toMatch(/and 3 more kinds; the report has all of them$/);
  });
});

describe('results at the end of a sweep', () => {
  const cells = [50, 100].flatMap((batchSize) =>
    [1, 2].map((seed) => {
      const train = plannedStage('train', 'train', { batchSize, seed });
      return plannedCell(`batchSize=${batchSize},seed=${seed}`, { batchSize, seed }, [train]);
    }),
  );
  const study: Study = {
    ...{ studyId: 's-0', plan: planOf('s', cells), cells: new Map(), damaged: [], ordered: [], detailed: [] },
    ...{ result: undefined, steps: new Map(), completeness: new Map() },
  };
  const fitOf = (cellId: string, value: number) => ({
    ...{ cellId, label: cellId, stage: 'fit' },
    estimates: { lambda_cross: { value, error: 0.1, theory: 1, deviation: (value - 1) / 0.1 } },
  });
  const results: KeyResults = {
    ...{ training: [], evaluations: [], problems: [] },
    available: { parameters: 3, training: 0, evaluations: 0 },
    read: { parameters: 3, training: 0, evaluations: 0 },
    // The standard error of the mean of 1.2 and 1.4 is half their distance.
    parameters: [
      fitOf('batchSize=50,seed=1', 1.2),
      fitOf('batchSize=50,seed=2', 1.4),
      fitOf('batchSize=100,seed=1', 0.9),
    ],
  };
  const lines = (columns: number) => formatResults(resultRows(study, results), results, columns);

  test('are means over the seeds against the theory, of how many of how many cells', () => {
    expect(lines(200).slice(2)).toEqual([
      expect.stringMatching(/^ {2}50 +1\.30 ± 0\.10 \(1; \+3\) +2 cells$/),
      expect.stringMatching(/^ {2}100 +0\.90 ± 0\.10 \(1; −1\) +1 of 2 cells$/),
      '  in brackets: the theory; the deviation in standard errors',
    ]);
  });

  test('have the fit that knows of the noise left over beside the other where there is one row, not in tables', () => {
    const both = results.parameters.map(({ estimates, ...cell }) => ({
      ...cell,
      estimates: { ...estimates, lambda_cross_leftover: { value: 1.05, error: 0.1, theory: 1 } },
    }));
    const found = { ...results, parameters: both };
    expect(formatResults(resultRows(study, found), found, 200).join('\n')).not.toContain('left over');
    const one = { ...study, plan: planOf('s', cells.slice(0, 1)) };
    const alone = { ...found, parameters: both.slice(0, 1) };
    expect(formatResults(resultRows(one, alone), alone, 200).slice(1)).toEqual([
      expect.stringMatching(/^ {2}lambda_cross +1\.20 ± 0\.10 +theory 1; \+20 %/),
      expect.stringMatching(/^ {2}lambda_cross with the noise left over +1\.05 ± 0\.10 +theory 1; \+5 %/),
    ]);
  });

  test('are counted where there are more, and so are those that were not read', () => {
    const all = Array.from({ length: 25 }, (_, index) => index);
    const many = {
      ...study,
      plan: planOf(
        's',
        all.map((index) =>
          plannedCell(`rate=${index}`, { rate: index }, [plannedStage('train', 'train', { rate: index })]),
        ),
      ),
    };
    const found: KeyResults = {
      ...{ ...results, parameters: all.map((index) => fitOf(`rate=${index}`, index)) },
      available: { parameters: 25, training: 300, evaluations: 0 },
      read: { parameters: 25, training: 200, evaluations: 0 },
    };
    const told = formatResults(resultRows(many, found), found, 80);
    expect(told.filter((line) => /^ {2}\d+ +\d/.test(line))).toHaveLength(10);
    expect(told.slice(-2)).toEqual([
      '  10 of 25 rows; --json and the report have all',
      '  from 200 of 300 trainings, evenly spread',
    ]);
    // Nothing repeats here.
    expect(told.join('\n')).not.toContain('mean of');
  });

  test('have their names beside them where columns do not fit', () => {
    expect(lines(30).slice(1, 4)).toEqual([
      expect.stringContaining('batchSize 50'),
      '    lambda_cross 1.30 ± 0.10 (1; +3)',
      '    mean of 2 cells',
    ]);
  });
});
