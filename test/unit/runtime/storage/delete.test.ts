import { expect, test } from 'vitest';
import { writePin } from '../../../../artifacts/keeping/pins.ts';
import type { Store } from '../../../../artifacts/store/store.ts';
import { chooseStudyId } from '../../../../cli/storage/choose.ts';
import { deleteStudy } from '../../../../runtime/storage/delete-study.ts';
import { begin, launch, writeStudy } from '../../../fixtures/kept-studies.ts';
import { sizesIn } from '../../../fixtures/stored.ts';
import { temporaryStore } from '../../artifacts/folders.ts';

const sketch = { name: 'one', seeds: [1, 2], epochs: 2 };
const over = { runs: async () => false };

/** The deletion is refused for this reason, with a cure, and nothing is removed. */
async function expectRefusal(store: Store, deletion: Promise<unknown>, reason: string): Promise<void> {
  const before = sizesIn(store);
  await expect(deletion).rejects.toMatchObject({
    message: expect.stringContaining(reason) as string,
    cure: expect.stringContaining('epochal') as string,
  });
  expect(sizesIn(store)).toEqual(before);
}

test('a study that has ended loses its records, and what it has made stays', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  const made = sizesIn(store, /^(artifacts|steps)/);
  const removed = await deleteStudy(store, studyId, over);
  expect(removed.map(({ name }) => name).at(-1)).toBe(`studies/${studyId}/study.json`);
  expect(removed).toHaveLength(5);
  expect(sizesIn(store)).toEqual(made);
  expect(await store.listFolder('studies')).toEqual([]);
});

test('one that runs, is pinned or has not ended stays', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  await expectRefusal(store, deleteStudy(store, studyId, { runs: async () => true }), 'is running');
  await writePin(store, { of: 'study', id: studyId, pinnedAt: '' });
  await expectRefusal(store, deleteStudy(store, studyId, { ...over, forced: true }), 'is pinned');
  await store.removeFile(`pins/studies/${studyId}.json`);
  await launch(store, studyId);
  await expectRefusal(store, deleteStudy(store, studyId, over), 'has not ended');
  await begin(store, studyId);
  await expectRefusal(store, deleteStudy(store, studyId, over), 'has not ended');
  expect(await deleteStudy(store, studyId, { ...over, forced: true })).toHaveLength(2);
});

test('one that is launched while it is asked whether it runs stays', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  const runs = async () => {
    await launch(store, studyId);
    return false;
  };
  await expect(deleteStudy(store, studyId, { runs })).rejects.toThrow('was launched in this moment');
  expect(sizesIn(store, /^studies/).size).toBe(5);
  expect(await store.listFiles('sweeps')).toEqual([]);
});

test('a study is chosen by its id or the beginning of just one', async () => {
  const { store } = await temporaryStore();
  const ids: string[] = [];
  for (const name of ['one', 'one-more']) ids.push((await writeStudy(store, { ...sketch, name })).studyId);
  expect(await chooseStudyId(store, ids[0]!)).toBe(ids[0]);
  expect(await chooseStudyId(store, 'one-m')).toBe(ids[1]);
  await expect(chooseStudyId(store, 'one')).rejects.toThrow('is the beginning of 2 studies');
  await expect(chooseStudyId(store, '')).rejects.toThrow('empty');
  await expect(chooseStudyId(store, 'two')).rejects.toThrow('There is no study two');
});
