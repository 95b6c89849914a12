/**
 * Puts everything in place that Epochal needs on this machine, and repairs what a killed set-up left: `node runtime/setup/main.mjs`. What is
 * there already costs nothing. `--tests` and `--bench` add what only those need. Runs on Node 20 and without any package.
 */
import path from 'node:path';
import { SetupError, say } from './command.mjs';
import { removeUnfinished } from './install-once.mjs';
import { withLock } from './lock.mjs';
import { node } from './node.mjs';
import { npmPackages } from './npm-packages.mjs';
import { cacheFolder } from './places.mjs';
import { pythonEnvironment } from './python.mjs';
import { temporal } from './temporal.mjs';
import { tensorflow } from './tensorflow.mjs';
import { isAtLeast } from './versions.mjs';

const OLDEST_NODE = '20.10.0';

const steps = [npmPackages, node, tensorflow, temporal];
if (process.argv.includes('--tests')) {
  steps.push(pythonEnvironment('testPython', 'test/requirements.txt', 'tests'));
}
if (process.argv.includes('--bench')) {
  steps.push(pythonEnvironment('benchPython', 'bench/requirements.txt', 'benchmarks'));
}

try {
  if (!isAtLeast(process.version, OLDEST_NODE)) {
    throw new SetupError(
      `This is Node ${process.version}; ${OLDEST_NODE} or newer is needed.`,
      'Install Node.js 24.',
    );
  }
  if (!steps.every((step) => step.isDone())) {
    const cache = cacheFolder();
    await withLock(path.join(cache, 'set-up.lock'), async () => {
      removeUnfinished(cache);
      for (const step of steps) {
        if (step.isDone()) continue;
        say(`set-up: ${step.does}`);
        const begin = Date.now();
        await step.run();
        say(`set-up: ${step.name} ready after ${((Date.now() - begin) / 1000).toFixed(1)} s`);
      }
    });
  }
} catch (error) {
  const known = error instanceof SetupError || ['ENOSPC', 'EACCES', 'EROFS', 'EPERM'].includes(error.code);
  if (!known) throw error;
  say(`error: ${error.message}`);
  if (error.cure) say(`  ${error.cure}`);
  process.exitCode = 1;
}
