import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runsTypeScript } from '../../runtime/setup/versions.mjs';

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
}

/** Starts the real command as a user does, with its state in `home`; `detached` in a process group of its own, as a shell does. */
export function startEpochal(
  args: readonly string[],
  home: string,
  environment: NodeJS.ProcessEnv = {},
  { detached = false } = {},
): Running {
  const child = spawn(process.execPath, [join(root, 'cli', 'epochal.mjs'), ...args], {
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

/** A fresh home folder, removed by `remove`. */
export function freshHome(): { home: string; remove(): void } {
  const home = mkdtempSync(join(tmpdir(), 'epochal-e2e-'));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** Process ids of all living descendants of `pid` whose command line matches, read from /proc. */
export function descendants(pid: number, pattern: RegExp): number[] {
  const parents = new Map<number, number>();
  const commands = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const status = readFileSync(`/proc/${entry}/status`, 'utf8');
      if (/^State:\s+Z/m.test(status)) continue;
      parents.set(Number(entry), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]));
      commands.set(Number(entry), readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child);
    return parent !== undefined && (parent === pid || isBelow(parent));
  };
  return [...commands]
    .filter(([child, command]) => pattern.test(command) && isBelow(child))
    .map(([child]) => child);
}

/** Polls until `condition` gives a value. */
export async function eventually<T>(
  condition: () => T | undefined | false,
  limitMs: number,
  what: string,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
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
