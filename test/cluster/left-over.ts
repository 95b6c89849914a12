/** What a study has left where it should have left nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { StepRecord } from '../../artifacts/store/step.ts';
import { findTemporal } from '../../runtime/server/temporal-binary.ts';
import { processesWith } from '../fixtures/processes.ts';

/** Idle compute processes go by themselves, and orphans as soon as they notice. */
const endingMs = 30_000;
const dayMs = 86_400_000;

/** Processes that were given a folder of a host, after a while. */
export async function strayProcesses(folder: string): Promise<string[]> {
  for (const deadline = Date.now() + endingMs; Date.now() < deadline; await setTimeout(100))
    if (processesWith(folder).length === 0) return [];
  return processesWith(folder).map(({ pid, command }) => `process ${pid}: ${command}`);
}

/** What the bundler of workflows keeps has locks that stay, whatever happens. */
const bundlerCache = 'swc-native';

/** Files that were to be gone by now, in the folders of a host and in the folder of a bucket. */
export function temporaryFiles(folder: string): string[] {
  const isTemporary = (name: string): boolean => {
    const parts = name.split(path.sep);
    const [parent, last] = [parts.at(-2), parts.at(-1)!];
    if (last.startsWith('.tmp-') || last.endsWith('.lock') || parent === 'incoming') return true;
    return parent === 'tmp' && last !== 'node-compile-cache';
  };
  const names = readdirSync(folder, { recursive: true }).map(String);
  const own = names.filter((name) => !name.includes(bundlerCache));
  return own.filter(isTemporary).map((name) => path.join(folder, name));
}

/** Uploads to a bucket that were not ended, as the server keeps them. */
export function unfinishedUploads(bucket: string): string[] {
  return globSync('.sgwtmp/multipart/*/*', { cwd: bucket }).map((name) => path.join(bucket, name));
}

/** What is in a store that only a running study needs. */
export function unfinishedSteps(store: string): string[] {
  return globSync(['checkpoints/*/*', 'sweeps/*'], { cwd: store });
}

/** Makes files two days older, with what is in them: what is removed after a day is due then. */
export function makeOld(files: readonly string[]): void {
  const then = new Date(Date.now() - 2 * dayMs);
  const all = files.flatMap((file) => [
    ...globSync('**', { cwd: file }).map((name) => path.join(file, name)),
    file,
  ]);
  for (const file of all) if (existsSync(file)) utimesSync(file, then, then);
}

/** How many workflows on a server match a query. */
export function countWorkflows(query: string, flags: readonly string[]): number {
  const words = ['workflow', 'count', '--query', query, '--output', 'json', ...flags];
  const { count = 0 } = JSON.parse(execFileSync(findTemporal(), words, { encoding: 'utf8' })) as {
    count?: string;
  };
  return Number(count);
}

/** How often the steps in the folder of a store were tried. */
export function attemptsIn(store: string): {
  readonly steps: number;
  readonly again: number;
  readonly most: number;
} {
  const attempts = stepsIn(store).map((file) => {
    const { provenance } = JSON.parse(readFileSync(file, 'utf8')) as StepRecord;
    return provenance.attempts;
  });
  return {
    steps: attempts.length,
    again: attempts.filter((count) => count > 1).length,
    most: Math.max(...attempts),
  };
}

/** The records of finished steps in the folder of a store. */
export function stepsIn(store: string): string[] {
  return globSync('steps/*/*.json', { cwd: store })
    .map((name) => path.join(store, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}
