import { formatCount, plural } from '../../report/numbers.ts';
import type { OpenStudy } from '../../runtime/study/open-studies.ts';
import { endedCells } from './study-status.ts';

/**
 * Lines about the other studies that are open in a home. Nothing is done for one that was stopped; of the others, the stages go to whatever
 * worker is there.
 *
 * @param served Whether there is a worker, so that a study that was not stopped goes on.
 */
export function formatOpenStudies(studies: readonly OpenStudy[], served: boolean): string[] {
  if (studies.length === 0) return [];
  const lines = studies.map(({ studyId, progress }) => {
    if (progress === undefined) return `  ${studyId}: how far it is cannot be said, no worker answers for it`;
    const { paused, cells, counts } = progress;
    const goesOn = served ? 'running, it goes on too' : 'not finished, its own run goes on with it';
    const state = paused ? `stopped until \`epochal retry ${studyId}\` or its own run` : goesOn;
    return `  ${studyId}: ${state} (${formatCount(endedCells(counts))} of ${plural(cells, 'cell')} ended)`;
  });
  return ['Also open in this home:', ...lines];
}
