import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { EnvironmentError } from '../../artifacts/errors.ts';
import type { Home } from '../home.ts';

/** Who uses a server renews its lease every two seconds; after so long without, it has ended, or its machine has. */
const leaseMs = 20_000;

/** Where process ids mean the same: this machine since it was started or, in a container, that container. */
export function thisHost(): string {
  const parts = [hostname()];
  for (const read of [
    () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    () => readlinkSync('/proc/self/ns/pid'),
  ]) {
    try {
      parts.push(read());
    } catch {
      // Not on this system: the name has to do.
    }
  }
  return parts.join(' ');
}

/** File that names the host of a home's running server, and whose time of change is that of its last sign of life. */
export function leaseOf({ folder }: Home): string {
  return path.join(folder, 'server-host');
}

/**
 * Throws {@link EnvironmentError} if a server of this home runs on another machine, or in another container: two servers on one database would
 * destroy it.
 */
export async function refuseOtherHosts(home: Home): Promise<void> {
  const lease = leaseOf(home);
  const host = await readFile(lease, 'utf8').catch(() => '');
  if (host === '' || host === thisHost()) return;
  const age = await ageOf(lease);
  if (age === undefined || age > leaseMs) return;
  throw new EnvironmentError(
    `The home ${home.folder} is in use on another machine or in another container, ${host.split(' ')[0]}.`,
    'Use a home of its own here (--home or EPOCHAL_HOME), with --address of a server that both can reach; or wait until that one has ended.',
  );
}

/** Milliseconds since a file was changed, by the clock that dates the files of its folder; undefined if it is gone. */
async function ageOf(file: string): Promise<number | undefined> {
  const probe = `${file}.${process.pid}`;
  await writeFile(probe, '', { mode: 0o600 });
  try {
    const [now, then] = await Promise.all([stat(probe), stat(file).catch(() => undefined)]);
    return then === undefined ? undefined : now.mtimeMs - then.mtimeMs;
  } finally {
    await rm(probe, { force: true });
  }
}
