#!/usr/bin/env node
/**
 * Starts the program, in the Node that the set-up has chosen if this one cannot run TypeScript files. Plain JavaScript that needs no package, so
 * that before the set-up, and on an older Node, it can say what is missing: `doctor` does so in any case.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compiledFolder } from '../artifacts/cache-folder.mjs';
import { examine, formatParts } from '../runtime/doctor.mjs';
import { chosenNode } from '../runtime/setup/node.mjs';
import { isPackage, packages, setUpCommand } from '../runtime/setup/places.mjs';
import { readStamp } from '../runtime/setup/stamp.mjs';
import { startSetUp } from '../runtime/setup/start.mjs';
import { runsTypeScript } from '../runtime/setup/versions.mjs';

// Node would open a debugger on a port. Until a command takes this warning of a batch system as a wish to stop, it ends the program, as any
// other signal does.
process.on('SIGUSR1', () => {
  if (process.listenerCount('SIGUSR1') === 1) process.exit(128 + constants.signals.SIGUSR1);
});

const args = process.argv.slice(2);

if (readStamp().node === undefined || !existsSync(chosenNode()))
  await tellWithout('Epochal is not set up yet.');
else if (runsTypeScript(process.version)) await runHere();
else runInChosen();

async function runHere() {
  const main = await load();
  // What a command leaves open (a connection that waits for its server) must not keep the program from ending: all that it says is written.
  if (main !== undefined) process.exit(await main(args));
}

async function load() {
  keepCompiled();
  try {
    return (await import('./main.ts')).main;
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('package')) throw error;
    await tellWithout(`A package is missing in ${packages}: ${error.message.split(' imported from')[0]}.`);
    return undefined;
  }
}

/** What the program is compiled to is kept for the next start, which takes half of the time then; not where somebody else could put something in its place. */
function keepCompiled() {
  const folder = compiledFolder();
  if (folder !== undefined) nodeModule.enableCompileCache(folder);
}

function runInChosen() {
  const child = spawn(chosenNode(), [fileURLToPath(import.meta.url), ...args], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; what may be sent to this process alone is handed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal));
  child.once('error', (error) => void tellWithout(`${chosenNode()} does not start: ${error.message}`));
  child.once('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}

/** All that can be done without the program: `setup`, `doctor`, or to say why nothing else can. */
async function tellWithout(message) {
  if (args[0] === 'setup') {
    process.exitCode = await startSetUp(args.slice(1));
    return;
  }
  process.exitCode = 1;
  // A reader that goes away early, or a full disk: it stays a failure, and that is all there is to say.
  process.stdout.on('error', () => undefined);
  const json = args.includes('--json');
  if (args[0] === 'doctor') {
    const parts = await examine();
    say(json ? JSON.stringify(parts, undefined, 2) : formatParts(parts, process.stdout.isTTY));
    return;
  }
  const cure = `Run \`${setUpCommand}\`${isPackage ? '' : ' in its folder'}; \`npx epochal doctor\` tells what is missing.`;
  process.stderr.write(`error: ${message}\n  ${cure}\n`);
  if (json) say(JSON.stringify({ error: { code: 'environment', message, cure } }, undefined, 2));
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
