import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findHome } from '../../../runtime/home.ts';
import { withFileLock } from '../../../runtime/server/file-lock.ts';
import { thisHost } from '../../../runtime/server/host.ts';
import { keepAlive } from '../../../runtime/server/keep-alive.ts';
import { isAlive, registerUser, runsIn, startGuarded } from '../../../runtime/server/server-process.ts';
import { descendants } from '../../fixtures/processes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'epochal-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('close', resolve));
  return child.pid!;
}

test('a home is EPOCHAL_HOME, else .epochal here', () => {
  const before = process.env.EPOCHAL_HOME;
  process.env.EPOCHAL_HOME = '/somewhere';
  expect(findHome().key).toBe('/somewhere/key');
  delete process.env.EPOCHAL_HOME;
  expect(findHome().folder).toBe(path.resolve('.epochal'));
  if (before !== undefined) process.env.EPOCHAL_HOME = before;
});

describe('a file lock', () => {
  test('is held by one at a time', async () => {
    const file = path.join(folder, 'lock');
    const order: string[] = [];
    const hold = (name: string) =>
      withFileLock(file, async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push(`${name} out`);
      });
    await Promise.all([hold('a'), hold('b')]);
    expect(order.map((line) => line.slice(2))).toEqual(['in', 'out', 'in', 'out']);
    expect(await readdir(folder)).toEqual([]);
  });

  test('of a dead process is taken over', async () => {
    const file = path.join(folder, 'lock');
    await writeFile(file, String(await deadProcess()));
    expect(await withFileLock(file, async () => 'mine')).toBe('mine');
  });
});

test('a process is known by its id, folder and command line', async () => {
  const program = process.argv[1]!;
  expect(runsIn(process.cwd(), process.pid, program)).toBe(true);
  if (process.platform === 'linux') {
    expect(runsIn(process.cwd(), process.pid, 'not in this command line')).toBe(false);
    expect(runsIn(folder, process.pid, program)).toBe(false);
    // Of another user, though all else fits.
    const server = spawn('sleep', ['3600'], { cwd: folder, stdio: 'ignore' });
    expect(runsIn(folder, server.pid!, 'sleep')).toBe(true);
    vi.spyOn(process, 'getuid').mockReturnValue(process.getuid!() + 1);
    expect(runsIn(folder, server.pid!, 'sleep')).toBe(false);
    vi.restoreAllMocks();
    server.kill();
  }
  expect(isAlive(await deadProcess())).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'what is guarded ends when its last user is gone, and not before',
  async () => {
    const users = path.join(folder, 'users');
    const registration = await registerUser(users);
    await writeFile(path.join(users, `${await deadProcess()}-0`), '');
    const [log, lease] = [path.join(folder, 'log'), path.join(folder, 'lease')];
    const { pid, guard } = await startGuarded({ folder, command: ['sleep', '3600'], users, log, lease });
    const ended = new Promise((resolve) => guard.once('close', resolve));
    // It naps between two looks: a new nap comes after a look.
    const nap = () => descendants(guard.pid!, /sleep 2 /)[0];
    const first = await vi.waitUntil(nap, { timeout: 120_000 });
    await vi.waitUntil(() => ![undefined, first].includes(nap()), { timeout: 120_000 });
    expect(isAlive(pid)).toBe(true);
    expect(await readFile(lease, 'utf8')).toBe(thisHost());
    expect(await registration.isShared()).toBe(false);
    await registration.leave();
    await ended;
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(lease)).toBe(false);
  },
);

describe('keepAlive', () => {
  /** A thing whose death is called for from outside. */
  function mortal() {
    let die: () => void = () => undefined;
    const died = new Promise<void>((resolve) => {
      die = resolve;
    });
    return { died, die, stop: async () => die() };
  }

  test('starts again what died, with a line for the user, until it is stopped', async () => {
    const events: string[] = [];
    const started: ReturnType<typeof mortal>[] = [];
    const kept = await keepAlive({
      name: 'thing',
      start: async () => {
        const thing = mortal();
        started.push(thing);
        return thing;
      },
      onEvent: (line) => events.push(line),
      onGivenUp: (reason) => events.push(String(reason)),
    });
    started[0]!.die();
    await expect.poll(() => started.length).toBe(2);
    expect(kept.current()).toBe(started[1]);
    await kept.stop();
    expect(events).toEqual(['The thing died; it is started again.']);
    expect(started.length).toBe(2);
  });

  test('gives up on what dies again and again', async () => {
    const events: string[] = [];
    const reason = new Promise<unknown>((resolve) => {
      const start = async () => {
        const thing = mortal();
        thing.die();
        return thing;
      };
      void keepAlive({ name: 'thing', start, onEvent: (line) => events.push(line), onGivenUp: resolve });
    });
    expect(await reason).toMatchObject({
      name: 'EnvironmentError',
      message: 'The thing died 6 times within a minute.',
    });
    expect(events.length).toBe(6);
  });

  test('gives up with the reason when it cannot be started again', async () => {
    let starts = 0;
    const first = mortal();
    const reason = new Promise<unknown>((resolve) => {
      void keepAlive({
        name: 'thing',
        start: async () => {
          if (starts++ === 0) return first;
          throw new Error('no binary');
        },
        onEvent: () => undefined,
        onGivenUp: resolve,
      });
    });
    await expect.poll(() => starts).toBe(1);
    first.die();
    expect(await reason).toMatchObject({ message: 'no binary' });
    expect(starts).toBe(6);
  });
});
