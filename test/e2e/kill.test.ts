import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { descendants, epochal, eventually, freshHome, root, startEpochal } from './epochal.ts';

const pipeline = join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
/** Long enough to be caught in the middle of each stage. */
const settings = ['--set', 'epochs=40', '--set', 'recordEpochs=120', '--set', 'eigenpairs=40'];

interface Listed {
  readonly stage: string;
  readonly output: string;
  readonly sha256: string;
}

/** Resolves when `train`, the first stage with a checkpoint, has left one: however fast it is, it is not missed. */
function trains(home: string): Promise<unknown> {
  const checkpoints = join(home, 'store', 'checkpoints');
  const isThere = () =>
    existsSync(checkpoints) &&
    readdirSync(checkpoints).some((key) => readdirSync(join(checkpoints, key)).length > 0);
  return eventually(isThere, 600_000, 'a checkpoint of the training');
}

async function digests(studyId: string, home: string): Promise<string[]> {
  const { stdout } = await epochal(['artifacts', studyId, '--json'], home);
  const { artifacts } = JSON.parse(stdout) as { artifacts: Listed[] };
  return artifacts.map(({ stage, output, sha256 }) => `${stage}.${output} ${sha256}`);
}

describe('a study that is killed ends with the artifacts of an undisturbed one', () => {
  const calm = freshHome();
  let expected: string[];
  let studyId: string;

  beforeAll(async () => {
    const finished = await epochal(['run', pipeline, ...settings, '--json'], calm.home);
    expect(finished.code, finished.stderr).toBe(0);
    studyId = (JSON.parse(finished.stdout) as { studyId: string }).studyId;
    expected = await digests(studyId, calm.home);
    expect(expected.length).toBeGreaterThan(8);
  });
  afterAll(() => calm.remove());

  /** Kills what matches `victim` with -9 in the middle of `stage` and lets the study go on by itself. */
  async function killDuring(stage: string, victim: RegExp): Promise<void> {
    const { home, remove } = freshHome();
    try {
      const study = startEpochal(['run', pipeline, ...settings], home);
      if (stage === 'train') await trains(home);
      else await study.until(new RegExp(`\\b${stage}\\b.* [1-9][\\d,]* ?/ ?[\\d,]+ `));
      const [pid] = await eventually(
        () => {
          const found = descendants(study.child.pid!, victim);
          return found.length > 0 && found;
        },
        600_000,
        `a process ${victim}`,
      );
      process.kill(pid!, 'SIGKILL');
      const finished = await study.finished;
      expect(finished.code, finished.stdout + finished.stderr).toBe(0);
      expect(await digests(studyId, home)).toEqual(expected);
    } finally {
      remove();
    }
  }

  test.each(['train', 'record', 'hessian'])('compute process killed during %s', (stage) =>
    killDuring(stage, /compute-process/),
  );

  test.each(['train', 'record', 'hessian'])('worker killed during %s', (stage) =>
    killDuring(stage, /worker-process/),
  );

  test('the Temporal server killed during record', () => killDuring('record', /start-dev/));

  test('Ctrl-C in the middle, then run again: the study goes on where it was', async () => {
    const { home, remove } = freshHome();
    try {
      const study = startEpochal(['run', pipeline, ...settings], home);
      await study.until(/\brecord\b.* [1-9][\d,]* ?\/ ?[\d,]+ /);
      study.child.kill('SIGINT');
      const stopped = await study.finished;
      expect(stopped.code, stopped.stdout + stopped.stderr).toBe(130);
      expect(stopped.stdout + stopped.stderr).toMatch(/again/);
      const again = await epochal(['run', pipeline, ...settings, '--json'], home);
      expect(again.code, again.stderr).toBe(0);
      expect(await digests(studyId, home)).toEqual(expected);
    } finally {
      remove();
    }
  });

  test('the whole program killed at once, as in a power cut, then run again', async () => {
    const { home, remove } = freshHome();
    try {
      const study = startEpochal(['run', pipeline, ...settings], home);
      await trains(home);
      for (const pid of [study.child.pid!, ...descendants(study.child.pid!, /./)])
        process.kill(pid, 'SIGKILL');
      await study.finished;
      const again = await epochal(['run', pipeline, ...settings, '--json'], home);
      expect(again.code, again.stderr).toBe(0);
      expect(await digests(studyId, home)).toEqual(expected);
    } finally {
      remove();
    }
  });
});
