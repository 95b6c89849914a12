import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import { type CellResult, workflowIdOf } from '../../workflows/messages.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../fixtures/plans.ts';
import { mountSmallDisk } from '../fixtures/small-disk.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
const disk = mountSmallDisk(path.join(folder, 'disk'), '64m');
let studies: LocalStudies | undefined;

beforeAll(async () => {
  if (disk === undefined) return;
  const before = process.env.TMPDIR;
  // The worker has it from here; what the test itself makes is elsewhere.
  process.env.TMPDIR = path.join(folder, 'disk');
  studies = await openLocalStudies({ concurrency: 1, folder });
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
});
afterAll(async () => {
  await studies?.close();
  disk?.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

test('a stage that fails where the disk of its worker is full costs none of its attempts; the worker takes no other before there is room', async (context) => {
  if (disk === undefined || studies === undefined)
    return context.skip('a small tmpfs cannot be mounted without privileges');
  disk.fill();
  const once = { retry: { attempts: 1 } };
  const cells = [5e6, 6e6].map((bytes) =>
    plannedCell(`bytes=${bytes}`, { bytes }, [plannedStage('only', 'bulky', { bytes }, once)]),
  );
  const study = await studies.start(planOf('full', cells));
  const failureOf = async (cellId: string) => {
    const workflow = studies!.client.workflow.getHandle(workflowIdOf(study.studyId, cellId));
    const { raw } = await workflow.describe();
    return raw.pendingActivities?.[0]?.lastFailure?.message ?? '';
  };
  // Either may be the first that the worker takes.
  const met = await until(async () => {
    const failures = await Promise.all(cells.map(({ id }) => failureOf(id).catch(() => '')));
    return failures.find((failure) => failure !== '');
  });
  expect(met).toMatch(/^The disk of this worker is full at \S+disk\. The stage failed with: .*ENOSPC/);
  disk.free();
  expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 2 });
  const store = await openStore(studies.storeUri());
  const attempts = cells.map(async ({ id }) => {
    const text = await store.readText(`studies/${study.studyId}/cells/${id}.json`);
    const { key } = (JSON.parse(text!) as CellResult).stages.only!;
    return (await store.readStep(key))!.provenance.attempts;
  });
  const [one = 0, two = 0] = (await Promise.all(attempts)).sort();
  // At most one was on its way to the worker when it began to rest.
  expect(one + two).toBeLessThanOrEqual(4);
  expect(two).toBe(2);
});
