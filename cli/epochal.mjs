#!/usr/bin/env node
/**
 * Starts the program, in the Node that the set-up has chosen if this one cannot run TypeScript files. Plain JavaScript, so that an older Node
 * can say what is missing.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runsTypeScript } from '../runtime/setup/versions.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const stamp = path.join(root, 'node_modules', '.epochal-setup.json');
const chosen = path.join(root, 'node_modules', '.bin', 'node');

if (!existsSync(stamp)) {
  process.stderr.write('error: Epochal is not set up yet.\n  Run `npm run setup` in its folder.\n');
  process.exitCode = 1;
} else if (runsTypeScript(process.version)) {
  const { main } = await import('./main.ts');
  // What a command leaves open (a connection that waits for its server) must not keep the program from ending.
  process.exit(await main(process.argv.slice(2)));
} else {
  const child = spawn(chosen, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // Ctrl-C reaches the child by itself; a signal that is sent to this process alone is handed on.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('error', (error) => {
    process.stderr.write(`error: ${chosen} does not start: ${error.message}\n  Run \`npm run setup\`.\n`);
    process.exitCode = 1;
  });
  child.once('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 1;
  });
}
