import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { closeHome, type Home } from '../home.ts';

/** The key that messages are sealed with: that of `home.key`, which is made if it is the home's own. Throws {@link EnvironmentError} if others can read it. */
export function readKey(home: Home): Uint8Array {
  closeHome(home);
  const file = home.key;
  if (path.dirname(file) === home.folder) makeKey(file);
  let text: string;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const { uid, mode } = fstatSync(descriptor);
    if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o077) !== 0)) {
      throw new EnvironmentError(
        `The key ${file} can be read or changed by others.`,
        `Make it yours alone: chmod 600 ${file}. If others have been there, remove it: the next run makes another.`,
      );
    }
    text = readFileSync(descriptor, 'utf8').trim();
  } catch (error) {
    if (error instanceof EnvironmentError) throw error;
    throw new EnvironmentError(
      `The key ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      'Copy it from the home of the machine that starts the studies.',
    );
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  throw new EnvironmentError(
    `${file} holds no key of Epochal.`,
    'Copy the file `key` from the home of the machine that starts the studies.',
  );
}

/** Makes a key unless there is one; of several processes that do so at once, one does. */
function makeKey(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return;
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
}
