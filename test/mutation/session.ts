/**
 * A process that stays: it is told how a source file reads now, runs tests that reach it, and answers with the first that fails. Only the file and what imports it are
 * loaded anew, which takes a hundredth of a new process of Vitest.
 */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { importsOf } from './imports.ts';
import { collect } from './tests.ts';

export interface Task {
  /** Absolute. */
  readonly file: string;
  /** What the file reads now; undefined for what it is. */
  readonly code?: string;
  /** Absolute, in the order in which they are run, up to the first that fails. */
  readonly tests: readonly string[];
  /** Of processor time, for each test file: loops of the file end with an error after it. */
  readonly seconds: readonly number[];
}

export interface Answer {
  /** The first test that failed, or what else went wrong. */
  readonly failed: string | undefined;
  /** Of processor time that each test file took. */
  readonly seconds: Readonly<Record<string, number>>;
}

let task: Task | undefined;
let generation = 0;
const plain = new Map<string, string>();
const testsModule = pathToFileURL(path.join(import.meta.dirname, 'tests.ts')).href;

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'vitest') return { url: testsModule, shortCircuit: true };
    const found = next(specifier, context);
    return isAffected(found.url) ? { ...found, url: `${bare(found.url)}?${generation}` } : found;
  },
  load(url, context, next) {
    if (!/\?\d+$/.test(url)) return next(url, context);
    const file = fileURLToPath(bare(url));
    return { format: 'module', source: plainSource(file), shortCircuit: true };
  },
});

function bare(url: string): string {
  return url.replace(/\?.*/, '');
}

function isAffected(url: string): boolean {
  if (task === undefined || !url.startsWith('file:') || url.includes('/node_modules/')) return false;
  const file = fileURLToPath(bare(url));
  return file === task.file || task.tests.includes(file) || importsOf(file).has(task.file);
}

function plainSource(file: string): string {
  if (task?.file === file && task.code !== undefined) return stripTypeScriptTypes(task.code);
  const known = plain.get(file) ?? stripTypeScriptTypes(readFileSync(file, 'utf8'));
  plain.set(file, known);
  return known;
}

/** Milliseconds of each test without a change: those that take least are run first. */
const usual = new Map<string, number>();

async function firstFailure(file: string): Promise<string | undefined> {
  let name = `loading ${path.basename(file)}`;
  try {
    const tests = await collect(() => import(`${pathToFileURL(file).href}?${generation}`));
    const took = (test: { name: string }) => usual.get(`${file} ${test.name}`) ?? 0;
    for (const test of tests.sort((a, b) => took(a) - took(b))) {
      ({ name } = test);
      const begin = performance.now();
      await test.body();
      usual.set(`${file} ${name}`, performance.now() - begin);
    }
    return undefined;
  } catch (error) {
    return `${name}: ${String(error).split('\n')[0]}`;
  }
}

const processorSeconds = () => process.cpuUsage().user / 1e6;

process.on('message', async (next: Task) => {
  task = next;
  generation++;
  const seconds: Record<string, number> = {};
  let failed: string | undefined;
  for (const [i, file] of next.tests.entries()) {
    const begin = processorSeconds();
    Reflect.set(globalThis, 'mutationEnd', begin + next.seconds[i]!);
    failed = await firstFailure(file);
    seconds[file] = processorSeconds() - begin;
    if (failed !== undefined) break;
  }
  const answer: Answer = { failed, seconds };
  process.send?.(answer);
});
process.on('unhandledRejection', () => undefined);
process.send?.('ready');
