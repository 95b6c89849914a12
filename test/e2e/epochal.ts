import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runsTypeScript } from '../../runtime/setup/versions.mjs';
import { copyBundledHome } from '../bundled-home.ts';
import { createGate, type Gate } from '../fixtures/gate.ts';

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `epochal` command, its output so far and its end. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  output(): string;
  /** Resolves as soon as `pattern` occurs in the output; rejects if the command ends before. */
  until(pattern: RegExp): Promise<void>;
  /** Polls until `look` gives something; rejects if the command ends before. */
  meets<T>(look: () => T | undefined | false): Promise<T>;
}

/** Starts the real command as a user does, with its state in `home`; `detached` in a process group of its own, as a shell does; `within` another command. */
export function startEpochal(
  args: readonly string[],
  home: string,
  environment: NodeJS.ProcessEnv = {},
  { detached = false, within = [] }: { detached?: boolean; within?: readonly string[] } = {},
): Running {
  const [program, ...words] = [...within, process.execPath, join(root, 'cli', 'epochal.mjs'), ...args];
  const child = spawn(program!, words, {
    cwd: root,
    env: { ...process.env, EPOCHAL_HOME: home, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', (data: Buffer) => {
    stdout += data;
    heard();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
    heard();
  });
  let ended = false;
  const finished = new Promise<Finished>((done) => {
    child.on('close', (code) => {
      ended = true;
      heard();
      done({ code, stdout, stderr });
    });
  });
  return {
    child,
    finished,
    output: () => stdout + stderr,
    until: (pattern) =>
      new Promise((done, fail) => {
        const look = () => {
          if (pattern.test(stdout + stderr)) done();
          else if (ended) fail(new Error(`ended before ${pattern}:\n${stdout}${stderr}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    async meets(look) {
      for (;;) {
        const seen = look();
        if (seen !== undefined && seen !== false) return seen;
        if (ended) throw new Error(`ended before it was met:\n${stdout}${stderr}`);
        await setTimeout(50);
      }
    },
  };
}

/** Runs a command to its end. */
export function epochal(
  args: readonly string[],
  home: string,
  environment?: NodeJS.ProcessEnv,
): Promise<Finished> {
  return startEpochal(args, home, environment).finished;
}

/** A gate for the stages of runs with this environment. */
export function gateIn(folder: string): { gate: Gate; environment: NodeJS.ProcessEnv } {
  const gate = createGate(join(folder, 'gate'));
  const modules = join(root, 'test', 'fixtures', 'held-stages');
  return { gate, environment: { ...gate.environment, EPOCHAL_STAGE_MODULES: modules } };
}

/** When the last checkpoint in the store of a home was written, in ms; 0 if there is none. */
export function lastCheckpoint(home: string): number {
  const folder = join(home, 'store', 'checkpoints');
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && !file.name.startsWith('.'))
    .map((file) => statSync(join(file.parentPath, file.name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
    .reduce((last, time) => Math.max(last, time), 0);
}

/** A folder for one or more homes, removed by `remove`; `home` is one, in which no workflow has to be bundled if it is `bundled`. */
export function freshHome({ bundled = false } = {}): { home: string; remove(): void } {
  const home = mkdtempSync(join(tmpdir(), 'epochal-e2e-'));
  if (bundled) copyBundledHome(home);
  return { home, remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 20 }) };
}

/** A Node on the PATH that cannot run TypeScript files. */
export async function oldNode(): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const program = join(folder, 'node');
    if (!existsSync(program)) continue;
    if (!runsTypeScript((await promisify(execFile)(program, ['--version'])).stdout)) return program;
  }
  return undefined;
}
