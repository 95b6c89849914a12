import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { descendants, epochal, eventually, freshHome, oldNode, root, startEpochal } from './epochal.ts';

const pipeline = join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
/** Longer than any test: only the signal ends it. */
const endless = ['--set', 'recordEpochs=1000000'];

describe('a wish to stop, whoever sends it', () => {
  test.each(['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
    '%s to every process of a run keeps what was done, opens no debugger and ends it',
    async (signal) => {
      const { home, remove } = freshHome();
      try {
        const study = startEpochal(['run', pipeline, ...endless], home);
        await study.until(/\brecord\b.* [1-9][\d,]* ?\/ ?[\d,]+ /);
        for (const pid of descendants(study.child.pid!, /worker-process|compute-process/)) {
          if (signal !== 'SIGTERM') process.kill(pid, signal);
        }
        study.child.kill(signal);
        const { code, stdout, stderr } = await study.finished;
        expect(code, stdout + stderr).toBe(130);
        expect(stdout + stderr).toMatch(/Everything done so far is kept/);
        expect(stdout + stderr).not.toMatch(/Debugger listening|Channel has been shut down|\n {4}at /);
        const planned = await epochal(['plan', pipeline, ...endless, '--json'], home);
        expect(JSON.parse(planned.stdout)).toMatchObject({
          foresight: expect.arrayContaining([expect.objectContaining({ stage: 'train', action: 'reuse' })]),
        });
      } finally {
        remove();
      }
    },
  );
});

test.for(['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const)(
  'a program that %s ends gives 128 and its number, also through a Node that only starts it',
  async (signal, context) => {
    const node = await oldNode();
    if (node === undefined) context.skip('every Node on the PATH runs TypeScript');
    const { home, remove } = freshHome();
    try {
      // Nobody writes into it, so that the program waits.
      const file = join(home, 'pipeline.yaml');
      execFileSync('mkfifo', [file]);
      const launcher = spawn(node!, [join(root, 'cli', 'epochal.mjs'), 'validate', file], {
        stdio: 'ignore',
      });
      const ended = once(launcher, 'exit');
      const pid = await eventually(
        () => descendants(launcher.pid!, /epochal\.mjs validate/)[0],
        60_000,
        'the program',
      );
      process.kill(pid, signal);
      expect(await ended).toEqual([128 + constants.signals[signal], null]);
    } finally {
      remove();
    }
  },
);
