import path from 'node:path';
import pc from 'picocolors';
import type { Store } from '../../artifacts/store/store.ts';
import type { Plan } from '../../compiler/index.ts';
import type { NoteKind } from '../../report/notes.ts';
import { formatCount, formatDuration, plural } from '../../report/numbers.ts';
import type { Home } from '../../runtime/home.ts';
import type { StudyResult } from '../../workflows/messages.ts';
import { exitCode } from '../output/errors.ts';
import type { Output } from '../output/output.ts';
import { formatNotes, formatResults, formatWarnings } from '../progress/result-view.ts';

const shownDamage = 10;

export interface Ended {
  readonly plan: Plan;
  readonly home: Home;
  readonly store: Store;
  readonly result: StudyResult;
  /** From the launch of the command to the end of the study, by the clock. */
  readonly seconds: number;
  readonly reportDirectory?: string;
  readonly output: Output;
}

/**
 * Tells how a study ended: its results, then what was remarked, warnings last of all. Writes the report. Gives the exit code: of damaged
 * records too, as `verify`. */
export async function conclude(ended: Ended): Promise<number> {
  const { plan, home, store, result, output } = ended;
  const { studyId, counts, failures } = result;
  for (const { cellId, stage, message, cure } of failures) {
    output.warn(`${pc.red('error:')} ${plan.cells.length > 1 ? `${cellId}, ` : ''}${stage}: ${message}`);
    if (cure !== undefined) output.warn(`  ${cure}`);
  }
  output.line(headline(ended));
  // Figures take a second to load, which other commands and the start of a study need not wait for.
  const [{ readStudy }, { readKeyResults }, { resultRows }, { noteKinds }] = await Promise.all([
    import('../../report/read-study.ts'),
    import('../../report/key-results.ts'),
    import('../../report/result-rows.ts'),
    import('../../report/notes.ts'),
  ]);
  const study = await readStudy(store, studyId);
  for (const name of study.damaged.slice(0, shownDamage)) {
    output.warn(
      `${pc.red('damaged')} ${name}: changed, torn or gone since it was written; what it said is left out`,
    );
  }
  if (study.damaged.length > 0) {
    output.warn(
      `${plural(study.damaged.length, 'damaged record')}. Run the pipeline again: records are written anew, and finished stages are reused.`,
    );
  }
  const keyResults = await readKeyResults(store, study);
  const rows = resultRows(study, keyResults);
  for (const line of formatResults(rows, keyResults, output.columns)) output.line(line);
  const kinds = noteKinds(study);
  let report: string | undefined;
  if (counts.succeeded > 0) {
    const outDirectory = ended.reportDirectory ?? path.join(home.folder, 'reports', studyId);
    const { writeReport } = await import('../../report/write-report.ts');
    const known = { study, results: keyResults };
    report = (await writeReport({ store, studyId, outDirectory, known })).html;
  }
  for (const line of formatNotes(kinds, plan.cells.length, report !== undefined)) output.line(line);
  if (report !== undefined) output.line(`report ${report}`);
  for (const line of formatWarnings(kinds, plan.cells.length, report !== undefined)) output.warn(line);
  if (output.json) {
    const [warnings, notes] = [true, false].map((wanted) =>
      kinds.filter(({ isWarning }) => isWarning === wanted).map(noteForMachines),
    );
    output.result({
      ...{ ...result, seconds: ended.seconds, results: rows, warnings, notes, damaged: study.damaged },
      ...(report === undefined ? {} : { report }),
    });
  }
  if (result.status === 'succeeded') return study.damaged.length > 0 ? exitCode.failed : exitCode.done;
  const onlyInput = failures.length > 0 && failures.every(({ type }) => type === 'InputError');
  return onlyInput ? exitCode.wrongInput : exitCode.failed;
}

function headline({ plan, result, seconds }: Ended): string {
  const { status, counts, stagesRun, stagesReused } = result;
  const work =
    stagesRun === 0 && stagesReused > 0
      ? `all ${plural(stagesReused, 'stage')} reused`
      : `${plural(stagesRun, 'stage')} run, ${formatCount(stagesReused)} reused`;
  return `${pc.bold(status)} in ${formatDuration(seconds)}: ${formatCount(counts.succeeded)} of ${plural(plan.cells.length, 'cell')}, ${work}`;
}

function noteForMachines({ stage, wordings, cells }: NoteKind): object {
  return { stage, text: [...wordings.keys()][0], wordings: wordings.size, cells };
}
