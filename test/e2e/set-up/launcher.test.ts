import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { descendants } from '../../fixtures/processes.ts';
import { freshHome, oldNode, root } from '../epochal.ts';

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
      const pid = await vi.waitUntil(() => descendants(launcher.pid!, /epochal\.mjs validate/)[0], {
        timeout: 300_000,
      });
      process.kill(pid, signal);
      expect(await ended).toEqual([128 + constants.signals[signal], null]);
    } finally {
      remove();
    }
  },
);
