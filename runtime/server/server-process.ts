import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { thisHost } from './host.ts';

/**
 * Runs the server and looks every two seconds whether any of its users lives (a file for each, named by its process id). When none is left,
 * also after a kill -9 or a closed terminal, the server ends too. Meanwhile it renews the lease, which says on which host. Prints the server's process id.
 *
 * Where cores are scarce, commands that people wait for come before the server, as they do before the workers. Linux shares cores between sessions first:
 * there `nice` counts within the server's session only, and the session has a value of its own.
 */
const guardScript = `
users=$1 log=$2 lease=$3 host=$4; shift 4
umask 077
renew() { printf %s "$host" >"$lease.new" && mv -f "$lease.new" "$lease"; }
renew
echo 5 >/proc/self/autogroup
nice -n 5 "$@" </dev/null >>"$log" 2>&1 &
server=$!
echo $server
exec >/dev/null 2>&1
while kill -0 $server; do
  sleep 2
  renew
  alive=
  for user in "$users"/*; do pid=\${user##*/}; kill -0 "\${pid%%-*}" && alive=1; done
  [ "$alive" ] || kill -TERM $server
done
wait $server
rm -f "$lease"
`;

export interface GuardedOptions {
  /** Where it runs. */
  readonly folder: string;
  readonly command: readonly string[];
  /** Folder of its users, see {@link registerUser}. */
  readonly users: string;
  /** File that it writes to. */
  readonly log: string;
  /** File that says on which host it runs, see `host.ts`. */
  readonly lease: string;
}

/** Starts a command under the guard, in a process group of its own, so that Ctrl-C does not reach it. Resolves to the command's process id. */
export async function startGuarded({
  folder,
  command,
  users,
  log,
  lease,
}: GuardedOptions): Promise<{ pid: number; guard: ChildProcess }> {
  const guard = spawn('sh', ['-c', guardScript, 'epochal-guard', users, log, lease, thisHost(), ...command], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const pid = await new Promise<number>((resolve, reject) => {
    guard.once('error', reject);
    guard.once('exit', (code) => reject(new Error(`the guard of the server exited with code ${code}`)));
    guard.stdout.once('data', (line: Buffer) => resolve(Number(line.toString('utf8').trim())));
  });
  guard.stdout.destroy();
  guard.unref();
  return { pid, guard };
}

/** True if process `pid` runs in `folder`, is this user's, and its command line contains `mark`: process ids are used again. */
export function runsIn(folder: string, pid: number, mark: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return false;
    const [own, its] = [statSync(folder), statSync(`/proc/${pid}/cwd`)];
    if (own.ino !== its.ino || own.dev !== its.dev) return false;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
  } catch {
    return false;
  }
}

/** True if there is a process with this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

let registrations = 0;

/** One use of the server. */
export interface Registration {
  /** Whether it has another user, who lives. */
  isShared(): Promise<boolean>;
  /** Takes the registration back. */
  leave(): Promise<void>;
}

/** Registers this process as a user of the server. */
export async function registerUser(users: string): Promise<Registration> {
  await mkdir(users, { recursive: true, mode: 0o700 });
  const own = `${process.pid}-${registrations++}`;
  await writeFile(path.join(users, own), '', { mode: 0o600 });
  return {
    async isShared() {
      const others = (await readdir(users)).filter((name) => name !== own);
      const dead = others.filter((name) => !isAlive(Number.parseInt(name, 10)));
      for (const name of dead) await rm(path.join(users, name), { force: true });
      return others.length > dead.length;
    },
    leave: () => rm(path.join(users, own), { force: true }),
  };
}
