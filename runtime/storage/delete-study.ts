import { EnvironmentError, InputError } from '../../artifacts/errors.ts';
import { readPins } from '../../artifacts/keeping/pins.ts';
import { studyRecordName } from '../../artifacts/store/names.ts';
import type { Store, StoredFile } from '../../artifacts/store/store.ts';
import { hasEnded } from './study-needs.ts';
import { type Groups, sweep } from './sweep.ts';

/**
 * Removes the records of a study. What it has made stays until a `gc` finds that nobody else needs it. `study.json` goes last, so that one whose deletion was broken off is still
 * listed and can be deleted.
 *
 * Throws {@link InputError} if it is pinned, and {@link EnvironmentError} if it runs, was launched in this moment, or has not ended as far as the store shows, unless
 * that is `forced`.
 *
 * @param runs Whether a server says that it runs. It is asked again after the deletion was announced: a launch waits then.
 * @returns The files that were removed.
 */
export async function deleteStudy(
  store: Store,
  studyId: string,
  { runs, forced = false }: { readonly runs: () => Promise<boolean>; readonly forced?: boolean },
): Promise<StoredFile[]> {
  const list = () => store.listFiles(`studies/${studyId}`);
  const launch = studyRecordName(studyId, 'study');
  const launched = (files: readonly StoredFile[]) => files.find(({ name }) => name === launch)?.writtenAt;
  if ((await readPins(store)).pins.some(({ of, id }) => of === 'study' && id === studyId))
    throw new InputError(
      `The study ${studyId} is pinned.`,
      `Take the pin away first: \`epochal unpin ${studyId}\`.`,
    );
  const files = await list();
  const cancel = `Give it up first: \`epochal cancel ${studyId}\``;
  const mustNotRun = async (): Promise<void> => {
    if (await runs())
      throw new EnvironmentError(`The study ${studyId} is running, so it is not deleted.`, `${cancel}.`);
  };
  await mustNotRun();
  if (!forced && !hasEnded(studyId, files))
    throw new EnvironmentError(
      `The study ${studyId} has not ended since it was launched: it may run on another server, or go on when it is run again.`,
      `${cancel}, with --address if it runs elsewhere; or delete it with --force if no server knows it any more.`,
    );
  const isStillOver = async (): Promise<boolean> => {
    await mustNotRun();
    return launched(await list()) === launched(files);
  };
  const last = [studyRecordName(studyId, 'plan'), launch];
  const lastFiles = last.flatMap((name) => files.find((file) => file.name === name) ?? []);
  const others = files.filter(({ name }) => !last.includes(name));
  const removed: StoredFile[] = [];
  for (let left: Groups<StoredFile> = [others.map((file) => [file]), [lastFiles]]; left.length > 0; ) {
    const after = await sweep(store, left, isStillOver, removed);
    if (after === undefined)
      throw new EnvironmentError(
        `The study ${studyId} was launched in this moment, so it is not deleted.`,
        `${cancel}.`,
      );
    left = after;
  }
  return removed;
}
