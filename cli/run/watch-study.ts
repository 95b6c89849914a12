import { setTimeout } from 'node:timers/promises';
import type { StudyHandle } from '../../runtime/study/client.ts';
import { exitCode } from '../output/errors.ts';
import type { Output } from '../output/output.ts';
import { onInterrupt } from './interrupt.ts';

/** Shows the progress of a study until the study has ended, the user interrupts or nobody reads any more. Gives the exit code. */
export async function watchStudy(study: StudyHandle, cells: number, output: Output): Promise<number> {
  const [{ showProgress }, { createProgressView }] = await Promise.all([
    import('../progress/progress.ts'),
    import('../progress/progress-view.ts'),
  ]);
  const view = createProgressView(output, cells);
  const interruption = onInterrupt();
  const progress = showProgress(study, view);
  const leaving = new AbortController();
  const result = study.result({ signal: leaving.signal });
  result.catch(() => undefined);
  const unread = async (): Promise<undefined> => {
    while (output.open) await setTimeout(500, undefined, { ref: false });
  };
  try {
    const now = await Promise.race([
      result,
      interruption.requested.then(() => 'interrupted' as const),
      unread(),
    ]);
    if (now === 'interrupted') return exitCode.interrupted;
    if (now === undefined) return exitCode.done;
    await progress.ended();
    view.end();
    output.line(`${study.studyId}: ${now.status}`);
    return now.status === 'succeeded' ? exitCode.done : exitCode.failed;
  } finally {
    leaving.abort();
    await Promise.allSettled([progress.stop(), result]);
    view.end();
    interruption.off();
  }
}
