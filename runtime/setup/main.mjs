/**
 * Puts everything in place that Epochal needs on this machine, and repairs what a killed set-up left: `node runtime/setup/main.mjs`. What is
 * there already costs nothing. `--gpu` brings TensorFlow for NVIDIA GPUs; `--tests` and `--bench` add what only those need. What stands behind `--` is then run by the Node that was
 * chosen: a shell that has looked `node` up before the set-up would go on with the old one. Runs on Node 20 and without any package.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { strangersOn } from '../../artifacts/trust.mjs';
import { SetupError, say } from './command.mjs';
import { removeUnfinished } from './install-once.mjs';
import { withLock } from './lock.mjs';
import { chosenNode, node } from './node.mjs';
import { npmPackages } from './npm-packages.mjs';
import { cacheFolder, isPackage } from './places.mjs';
import { pythonEnvironment } from './python.mjs';
import { temporal } from './temporal.mjs';
import { tensorflow } from './tensorflow.mjs';
import { isAtLeast } from './versions.mjs';
import { versitygw } from './versitygw.mjs';

const OLDEST_NODE = '20.10.0';

const separator = process.argv.indexOf('--');
const options = separator < 0 ? process.argv : process.argv.slice(0, separator);
const command = separator < 0 ? [] : process.argv.slice(separator + 1);
if (options.includes('--gpu')) process.env.EPOCHAL_TENSORFLOW = 'gpu';
const steps = [npmPackages, node, tensorflow, temporal];
if (isPackage && options.some((option) => ['--tests', '--bench'].includes(option))) {
  say('error: The tests and benchmarks are in a clone of the project, not in its package.');
  process.exit(1);
}
if (options.includes('--tests')) {
  steps.push(
    pythonEnvironment('testPython', 'test/requirements.txt', 'tests'),
    pythonEnvironment('linters', 'deploy/tools/requirements.txt', 'checks of deploy/'),
    versitygw,
  );
}
if (options.includes('--bench')) {
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
    const cache = openCache();
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
  if (command.length > 0) process.exitCode = await runChosen(command);
} catch (error) {
  const known = error instanceof SetupError || ['ENOSPC', 'EACCES', 'EROFS', 'EPERM'].includes(error.code);
  if (!known) throw error;
  say(`error: ${error.message}`);
  if (error.cure) say(`  ${error.cure}`);
  process.exitCode = 1;
}

/** The cache, made if it is not there. What lies in it is run, so nobody else may have put it there. */
function openCache() {
  const cache = cacheFolder();
  const strangers = strangersOn(cache, 'Name another folder in EPOCHAL_CACHE.');
  if (strangers !== undefined) throw new SetupError(strangers.message, strangers.cure);
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  return cache;
}

/** Runs a script to its end and gives its exit code. Ctrl-C reaches it by itself. */
async function runChosen(args) {
  const child = spawn(chosenNode(), args, { stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...ending) => resolve(ending));
  });
  return signal === null ? code : 1;
}
