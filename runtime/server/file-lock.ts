import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { thisHost } from './host.ts';
import { isAlive } from './server-process.ts';

const patienceMs = 60_000;

/**
 * Runs `work` while no other process holds the lock file. A lock whose holder has died is taken over, if it was one of this host: of others nothing is
 * known.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  while (!(await take(file))) {
    const [pid = '', host = thisHost()] = (await readFile(file, 'utf8').catch(() => '')).split('@');
    const holder = Number.parseInt(pid, 10);
    if (Number.isInteger(holder) && host === thisHost() && !isAlive(holder)) await rm(file, { force: true });
    else if (Date.now() > deadline) {
      throw new EnvironmentError(
        `Process ${holder} of ${host.split(' ')[0]} has held ${file} for a minute.`,
        `If it is none of Epochal's, remove ${file}.`,
      );
    } else await setTimeout(100);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${process.pid}@${thisHost()}`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
