import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { processesWith } from './fixtures/processes.ts';

/** A server looks every two seconds whether somebody uses it; a busy machine takes its time. */
const endingMs = 60_000;
/** Of the whole suite: Node's cache of compiled code, in which it is faster; of npm, another. */
const shared = ['compiled', 'node-compile-cache'];

/** Files of a folder that are named. */
const mostNamed = 20;

/** Everything temporary that the suite makes. */
export interface Temporary {
  /** What is left of tests that have ended: their processes, which are ended, and their files, which are removed. */
  clear(): Promise<string[]>;
}

/** Gives this process and all that it starts a folder of their own for temporary files, removed at its end, so that what tests leave is seen. */
export function openTemporary(): Temporary {
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-suite-'));
  process.env.TMPDIR = folder;
  process.env.NODE_COMPILE_CACHE = path.join(folder, 'compiled');
  const end = (): string[] => {
    const processes = processesOf(folder);
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    const files = readdirSync(folder)
      .filter((name) => !shared.includes(name))
      .map((name) => `${name}${contents(path.join(folder, name))}`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    return [...processes.map(({ pid, command }) => `process ${pid}: ${command}`), ...files];
  };
  process.once('exit', end);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
  return {
    async clear() {
      const deadline = Date.now() + endingMs;
      while (processesOf(folder).length > 0 && Date.now() < deadline) await setTimeout(100);
      process.removeListener('exit', end);
      return end();
    },
  };
}

/** Processes that were given the folder, this one aside; none where there is no /proc. */
function processesOf(folder: string): ReturnType<typeof processesWith> {
  return processesWith(`TMPDIR=${folder}\0`);
}

/** What lies in a folder, which tells whose it was. */
function contents(place: string): string {
  if (!lstatSync(place).isDirectory()) return '';
  const names = readdirSync(place, { recursive: true }).map(String).sort();
  const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : '';
  return names.length === 0 ? ' (empty)' : `: ${names.slice(0, mostNamed).join(', ')}${more}`;
}
