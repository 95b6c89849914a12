/** The static checks: types, format and lint, one-way imports, and generated files that are up to date. Prints what failed; exit code 1. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '..');
const program = (name: string) => path.join(root, 'node_modules', '.bin', name);
const rooms = [
  'activities',
  'artifacts',
  'bench',
  'cli',
  'compiler',
  'compute',
  'datasets',
  'packages',
  'report',
  'runtime',
];

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it says when it could not look: neither passed nor failed. */
  readonly excuse?: RegExp;
}

const checks: readonly Check[] = [
  { name: 'types', command: program('tsc'), args: ['--noEmit'] },
  { name: 'format and lint', command: program('biome'), args: ['ci', '--error-on-warnings', '.'] },
  {
    name: 'imports',
    command: program('depcruise'),
    args: ['--config', '.dependency-cruiser.cjs', ...rooms, 'schemas', 'science', 'workflows'],
  },
  { name: 'generated files', command: process.execPath, args: ['schemas/generate.ts', '--check'] },
  { name: 'picture of the rooms', command: process.execPath, args: ['docs/make-architecture.ts', '--check'] },
  {
    name: 'known vulnerabilities of what runs',
    command: 'npm',
    args: ['audit', '--omit=dev', '--audit-level=high', '--fetch-retries=0', '--loglevel=error'],
    excuse: /audit endpoint returned an error|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENOAUDIT/,
  },
];

/** Runs every check and gives the names of those that failed. */
export async function runChecks(): Promise<{ readonly passed: string[]; readonly failed: string[] }> {
  const passed: string[] = [];
  const failed: string[] = [];
  for (const { name, command, args, excuse } of checks) {
    const begin = Date.now();
    try {
      await run(command, args, { cwd: root, maxBuffer: 1 << 26 });
      console.log(`ok    ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
      passed.push(name);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      if (excuse?.test(stdout + stderr)) {
        console.log(`--    ${name}: could not be asked`);
        continue;
      }
      console.log(`FAIL  ${name}\n${stdout}${stderr}`);
      failed.push(name);
    }
  }
  return { passed, failed };
}

if (import.meta.main) process.exitCode = (await runChecks()).failed.length > 0 ? 1 : 0;
