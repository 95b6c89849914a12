import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const sticky = 0o1000;
const groupMayWrite = 0o020;
const othersMayWrite = 0o002;

/** What names programs that are run must be as hard to change as this program: a file of this user, of root or of this program's owner, and only theirs. */
export function isTrusted(name) {
  const info = whatIsAt(name);
  if (info === undefined || process.getuid === undefined) return true;
  return info.isFile() && owners().includes(info.uid) && (info.mode & (groupMayWrite | othersMayWrite)) === 0;
}

/**
 * Whether somebody else could put something of theirs in the place of `name`, as `ssh` asks of the folders above `~/.ssh`: each folder on the way to
 * it, through links too, must be this user's, root's or this program's owner's, and no one else's to write, but for one like `/tmp`, where nobody
 * moves what is another's. What is not there yet is not asked.
 *
 * @param {string} name An absolute path.
 * @param {string} otherwise What one can do instead of closing a folder to others.
 * @returns {{ message: string, cure: string } | undefined} An error's, if somebody could.
 */
export function strangersOn(name, otherwise) {
  if (process.getuid === undefined) return undefined;
  const parent = path.dirname(name);
  const above = parent === name ? undefined : strangersOn(parent, otherwise);
  if (above !== undefined) return above;
  const info = whatIsAt(name);
  if (info === undefined) return undefined;
  const { uid, gid, mode } = info;
  if (!owners().includes(uid) && uid !== hiddenUser()) {
    const message = `${name} belongs to another user (id ${uid}), who could have anything done here.`;
    return { message, cure: otherwise };
  }
  // A link to itself leads nowhere, and is refused when it is followed.
  if (info.isSymbolicLink())
    return existsSync(name) ? strangersOn(path.resolve(parent, readlinkSync(name)), otherwise) : undefined;
  const shared = (mode & othersMayWrite) !== 0 || ((mode & groupMayWrite) !== 0 && !isOwnGroup(gid));
  if (!shared || (info.isDirectory() && (mode & sticky) !== 0)) return undefined;
  return {
    message: `${name} can be written by other users, who could have anything done here.`,
    cure: `Close it to them (chmod go-w ${name}). ${otherwise}`,
  };
}

/** `undefined` also where this user cannot look: to use it then fails by itself. */
function whatIsAt(name) {
  try {
    return lstatSync(name);
  } catch {
    return undefined;
  }
}

function owners() {
  return [process.getuid(), 0, statSync(fileURLToPath(import.meta.url)).uid];
}

/** Root's, or the one that many systems make for each user alone, under the user's own number. */
function isOwnGroup(gid) {
  return gid === 0 || (gid === process.getuid() && gid === process.getgid());
}

/** In a container that knows only some users, the number that all others, root among them, are shown with. */
function hiddenUser() {
  try {
    const nobody = Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
    const known = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
    const isKnown = known.some((line) => {
      const [first, , count] = line.trim().split(/\s+/).map(Number);
      return nobody >= first && nobody < first + count;
    });
    return isKnown ? undefined : nobody;
  } catch {
    // Not on Linux.
    return undefined;
  }
}
