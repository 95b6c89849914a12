/** The static checks: types, format and lint, one-way imports, generated files that are up to date, and no known vulnerabilities. Prints what failed; exit code 1. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { auditPackages } from './audit.ts';

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
];

/** Runs every check and gives the names of those that failed. */
export async function runChecks(): Promise<{ readonly passed: string[]; readonly failed: string[] }> {
  const passed: string[] = [];
  const failed: string[] = [];
  // The registry is asked meanwhile.
  const audited = auditPackages();
  for (const { name, command, args } of checks) {
    const begin = Date.now();
    try {
      await run(command, args, { cwd: root, maxBuffer: 1 << 26 });
      console.log(`ok    ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
      passed.push(name);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      console.log(`FAIL  ${name}\n${stdout}${stderr}`);
      failed.push(name);
    }
  }
  const name = 'known vulnerabilities of what runs';
  const audit = await audited;
  if (audit.verdict === 'not asked')
    console.log(`----  NOT CHECKED: ${name}. The npm registry could not be asked: ${audit.why}`);
  else if (audit.verdict === 'passed') console.log(`ok    ${name}`);
  else console.log(`FAIL  ${name}\n${audit.why}`);
  if (audit.verdict !== 'not asked') (audit.verdict === 'passed' ? passed : failed).push(name);
  return { passed, failed };
}

if (import.meta.main) process.exitCode = (await runChecks()).failed.length > 0 ? 1 : 0;
