import { expect, test } from 'vitest';
import { formatOpenStudies } from '../../../cli/progress/open-studies.ts';
import type { StudyProgress } from '../../../workflows/messages.ts';

const progress = (paused: boolean, cells: number): StudyProgress => ({
  ...{ studyId: '', cells, paused, phase: 'cells', running: [] },
  counts: { succeeded: 1, failed: cells > 1 ? 1200 : 0, cancelled: 0 },
});

test('where no other study is open, nothing is said', () => {
  expect(formatOpenStudies([], true)).toEqual([]);
});

test('of each study that is open it is said whether it goes on, and with what', () => {
  const studies = [
    { studyId: 'going-1', progress: progress(false, 2000) },
    { studyId: 'stopped-1', progress: progress(true, 1) },
    { studyId: 'silent-1' },
  ];
  const lines = (goesOn: string) => [
    'Also open in this home:',
    `  going-1: ${goesOn} (1,201 of 2,000 cells ended)`,
    '  stopped-1: stopped until `epochal retry stopped-1` or its own run (1 of 1 cell ended)',
    '  silent-1: how far it is cannot be said, no worker answers for it',
  ];
  expect(formatOpenStudies(studies, true)).toEqual(lines('running, it goes on too'));
  expect(formatOpenStudies(studies, false)).toEqual(lines('not finished, its own run goes on with it'));
});
