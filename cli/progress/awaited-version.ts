import { setTimeout } from 'node:timers/promises';
import type { StudyHandle } from '../../runtime/study/client.ts';
import type { StudyVersion } from '../../runtime/study/study-version.ts';
import type { ProgressView } from './progress-view.ts';

/** Longer than workers that can take a study over need to do so. */
const lookEveryMs = 15_000;

/**
 * What a study waits for whose version of the code has no worker, and what goes on with it; undefined if it waits for none.
 *
 * @param flags Options that name the server, for the command that is shown.
 */
export function awaitedVersion(
  studyId: string,
  version: StudyVersion | undefined,
  flags: string,
): string | undefined {
  if (version === undefined || version.served) return undefined;
  const waits = `It waits for a worker of version ${version.buildId}, and there is none.`;
  return version.replayable
    ? `${waits} Any worker of the version here goes on with it: npx epochal worker${flags}`
    : `${waits} The version here cannot go on where that one was; it begins the study anew from its finished stages with: npx epochal retry ${studyId}${flags}`;
}

/** Tells it once, when it has been so for a while. Looks until `signal` aborts. */
export async function tellAwaitedVersion(
  { studyId, version }: StudyHandle,
  view: Pick<ProgressView, 'line'>,
  flags: string,
  signal: AbortSignal,
): Promise<void> {
  for (let before: string | undefined; !signal.aborted; ) {
    await setTimeout(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const line = awaitedVersion(studyId, await version().catch(() => undefined), flags);
    if (line !== undefined && line === before) return view.line(line);
    before = line;
  }
}
