/** The job script for Slurm, run as Slurm runs it: by bash, with its variables, and TERM for the script alone before the time is up. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import { readSetupStamp } from '../../runtime/setup-stamp.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { epochal, gateIn, type Running, root, startEpochal } from './epochal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
const [here, store, scratch] = ['here', 'store', 'scratch'].map((name) => path.join(folder, name)) as [
  string,
  string,
  string,
];
const script = path.join(root, 'deploy', 'slurm', 'worker.sbatch');
const small = path.join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
const { gate, environment } = gateIn(folder);
let server: Running;
let address: string;

beforeAll(async () => {
  mkdirSync(scratch);
  server = startEpochal(['server'], here);
  await server.until(/server \S+, web UI/);
  address = /server (\S+),/.exec(server.output())![1]!;
});
afterAll(async () => {
  server.child.kill('SIGINT');
  await server.finished;
  rmSync(folder, { recursive: true, force: true });
});

interface Job {
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<number>;
  until(pattern: RegExp): Promise<void>;
}

/** A task of the array. */
function startJob(task: number, more: NodeJS.ProcessEnv): Job {
  const slurm = {
    ...{ SLURM_JOB_ID: String(100 + task), SLURM_ARRAY_JOB_ID: '100', SLURM_ARRAY_TASK_ID: String(task) },
    ...{
      SLURM_SUBMIT_DIR: root,
      SLURM_TMPDIR: scratch,
      SLURM_CPUS_PER_TASK: '4',
      SLURM_MEM_PER_NODE: '4100',
    },
  };
  const child = spawn('bash', [script, '--address', address, '--store', store], {
    cwd: folder,
    env: {
      ...process.env,
      NO_COLOR: '1',
      EPOCHAL_KEY_FILE: path.join(here, 'key'),
      ...slurm,
      ...environment,
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data));
  const ended = once(child, 'close').then(([code]) => Number(code));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    child,
    ended,
    output: () => said,
    async until(pattern) {
      await expect.poll(() => said, { timeout: 120_000 }).toMatch(pattern);
    },
  };
}

/** Arguments of the worker that a job runs. */
function workerOf({ child }: Job): string {
  const parents = execFileSync('ps', ['-eo', 'ppid=,args='], { encoding: 'utf8' }).split('\n');
  return parents.find((line) => line.trim().startsWith(`${child.pid} `)) ?? '';
}

test('a job that Slurm warns hands its stage back in time, another goes on from the checkpoint and ends when there is nothing to do', async () => {
  const submitted = await epochal(['submit', small, '--address', address, '--store', store, '--json'], here);
  expect(submitted.code, submitted.stderr).toBe(0);
  const { studyId, status } = JSON.parse(submitted.stdout) as { studyId: string; status: string };
  expect(status).toBe('running');
  gate.hold('train');
  const first = startJob(1, { EPOCHAL_DRAIN: '2s' });
  await first.until(/is ready/);
  // 4 cores, but memory for two stages.
  expect(workerOf(first)).toMatch(/worker --concurrency 2 --until-idle 10m --drain 2s --address/);
  await expect.poll(() => gate.met('train'), { timeout: 120_000 }).toBeGreaterThan(0);
  expect(readdirSync(scratch)).toEqual([expect.stringMatching(/^epochal-101-/)]);
  const warnedAt = performance.now();
  // To the script alone, as `--signal=B:TERM@120` says.
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  expect(performance.now() - warnedAt).toBeLessThan(120_000);
  expect(first.output()).toMatch(/No more stages are taken[\s\S]*told to stop after \d+ s/);
  expect(existsSync(scratch) && readdirSync(scratch)).toEqual([]);
  const second = startJob(2, { EPOCHAL_UNTIL_IDLE: '5s' });
  await second.until(/is ready/);
  gate.release('train');
  expect(await second.ended).toBe(0);
  const opened = await openStore(store);
  const cell = JSON.parse((await opened.readText(`studies/${studyId}/cells/main.json`))!) as CellResult;
  expect(cell.status).toBe('succeeded');
  expect(cell.stages.train).toMatchObject({ continued: true });
});

test('a job where there is no Epochal says so', async () => {
  const job = startJob(3, { SLURM_SUBMIT_DIR: scratch });
  expect(await job.ended).toBe(2);
  expect(job.output()).toMatch(/there is no Epochal in .*scratch\n.*EPOCHAL_PROGRAM/);
});

test('the script is sound in the eyes of ShellCheck, or of bash where the set-up of tests has none', () => {
  const shellcheck = path.join(path.dirname(readSetupStamp().testPython?.program ?? ''), 'shellcheck');
  const check = existsSync(shellcheck) ? [shellcheck, script] : ['bash', '-n', script];
  expect(() => execFileSync(check[0]!, check.slice(1), { encoding: 'utf8' })).not.toThrow();
});
