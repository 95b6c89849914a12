import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { descendants } from '../fixtures/processes.ts';
import { epochal, freshHome, gateIn, root, startEpochal } from './epochal.ts';

const pipeline = join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
/** Enough for several checkpoints of each stage. */
const settings = ['--set', 'recordEpochs=6', '--set', 'eigenpairs=40'];
const command = ['run', pipeline, ...settings, '--json'];

describe('a study that is killed ends with the artifacts of an undisturbed one', () => {
  const calm = freshHome({ bundled: true });
  let expected: string[];
  let studyId: string;

  beforeAll(async () => {
    const finished = await epochal(command, calm.home);
    expect(finished.code, finished.stderr).toBe(0);
    studyId = (JSON.parse(finished.stdout) as { studyId: string }).studyId;
    expected = (await outcomeIn(calm.home)).digests;
    expect(expected.length).toBeGreaterThan(8);
  });
  afterAll(() => calm.remove());

  /** Digest of every output, and the attempts that each stage took. */
  async function outcomeIn(home: string) {
    const store = await openStore(join(home, 'store'));
    const { stages } = JSON.parse(
      (await store.readText(`studies/${studyId}/cells/main.json`))!,
    ) as CellResult;
    const digests: string[] = [];
    const attempts: Record<string, number> = {};
    for (const [stage, { key, outputs }] of Object.entries(stages)) {
      attempts[stage] = (await store.readStep(key))!.provenance.attempts;
      for (const [output, { sha256 }] of Object.entries(outputs))
        digests.push(`${stage}.${output} ${sha256}`);
    }
    return { digests, attempts };
  }

  test.each([
    ['compute process', /compute-process/, { train: 2, record: 2, hessian: 2 }],
    ['worker', /worker-process/, { train: 2, record: 2, hessian: 2 }],
    ['Temporal server', /^\S+ server start-dev/, {}],
  ])(
    'the %s is killed in the middle of `train`, of `record` and of `hessian`',
    async (_, victim, attempts) => {
      const { home, remove } = freshHome({ bundled: true });
      const { gate, environment } = gateIn(home);
      try {
        for (const stage of ['train', 'record', 'hessian']) gate.hold(stage);
        const study = startEpochal(command, home, environment);
        for (const stage of ['train', 'record', 'hessian']) {
          await study.meets(() => gate.met(stage));
          const [pid] = descendants(study.child.pid!, victim);
          process.kill(pid!, 'SIGKILL');
          gate.release(stage);
        }
        const finished = await study.finished;
        expect(finished.code, finished.stdout + finished.stderr).toBe(0);
        const outcome = await outcomeIn(home);
        expect(outcome.digests).toEqual(expected);
        expect(outcome.attempts).toMatchObject(attempts);
      } finally {
        remove();
      }
    },
  );

  test.each([
    ['Ctrl-C', 'record', (pid: number) => process.kill(pid, 'SIGINT')],
    [
      'a kill of the whole program, as in a power cut,',
      'train',
      (pid: number) => {
        for (const each of [pid, ...descendants(pid, /./)]) process.kill(each, 'SIGKILL');
      },
    ],
  ])('%s in the middle, then run again: the study goes on where it was', async (_, stage, end) => {
    const { home, remove } = freshHome({ bundled: true });
    const { gate, environment } = gateIn(home);
    try {
      gate.hold(stage);
      const study = startEpochal(command, home, environment);
      await study.meets(() => gate.met(stage));
      end(study.child.pid!);
      const stopped = await study.finished;
      gate.release(stage);
      if (stage === 'record') {
        expect(stopped.code, stopped.stdout + stopped.stderr).toBe(130);
        expect(stopped.stdout + stopped.stderr).toMatch(/again/);
      }
      const again = await epochal(command, home, environment);
      expect(again.code, again.stderr).toBe(0);
      expect((await outcomeIn(home)).digests).toEqual(expected);
    } finally {
      remove();
    }
  });
});
