import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { EnvironmentError } from '../artifacts/errors.ts';
import { strangersOn } from '../artifacts/trust.mjs';
import { homeFolder } from './setup/places.mjs';

const elsewhere = 'Choose another folder with --home or EPOCHAL_HOME.';

/** Where everything lives that belongs to one place of work: the server's database, logs, the default store. */
export interface Home {
  /** `EPOCHAL_HOME`, else `.epochal` in the working directory. */
  readonly folder: string;
  /** File with the key that messages are sealed with: `EPOCHAL_KEY_FILE`, else the home's own. */
  readonly key: string;
  readonly logs: string;
  /** Default store, as a URI of a folder. */
  readonly store: string;
  /** The stores that were ever named in this home, a line each. */
  readonly stores: string;
  /** Port and process of the embedded server. */
  readonly serverRecord: string;
  /** One file for each process that uses the embedded server. */
  readonly serverUsers: string;
  /** Bundles of the workflow code. */
  readonly bundles: string;
}

/** The files of a home. Nothing is created. */
export function findHome(folder = homeFolder(), keyFile = process.env.EPOCHAL_KEY_FILE): Home {
  const root = path.resolve(folder);
  return {
    folder: root,
    key: keyFile ? path.resolve(keyFile) : path.join(root, 'key'),
    logs: path.join(root, 'logs'),
    store: path.join(root, 'store'),
    stores: path.join(root, 'stores'),
    serverRecord: path.join(root, 'server.json'),
    serverUsers: path.join(root, 'server-users'),
    bundles: path.join(root, 'bundles'),
  };
}

/** The home that the options name, made and closed as by {@link closeHome}. */
export function openHome(options: { readonly home?: string; readonly keyFile?: string }): Home {
  const home = findHome(options.home, options.keyFile);
  closeHome(home);
  return home;
}

/**
 * Makes the folder of a home if it is not there, and closes it to other users: what lies in it decides what runs here.
 *
 * Throws {@link EnvironmentError} if it cannot be made, if it, the link to it or something in it belongs to somebody else, or if somebody else could
 * put another in its place.
 */
export function closeHome({ folder }: Home): void {
  mustStayInPlace(path.dirname(folder));
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EnvironmentError(`The home ${folder} cannot be made (${code}).`, elsewhere);
  }
  const own = process.getuid?.();
  if (own === undefined) return;
  mustStayInPlace(path.dirname(realpathSync(folder)));
  mustBeOwn(folder, own, lstatSync(folder).uid);
  const { uid, mode } = statSync(folder);
  mustBeOwn(folder, own, uid);
  if ((mode & 0o077) === 0) return;
  for (const name of readdirSync(folder)) {
    const inside = path.join(folder, name);
    mustBeOwn(inside, own, lstatSync(inside).uid);
  }
  try {
    chmodSync(folder, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EnvironmentError(
      `The home ${folder} is open to other users and cannot be closed to them (${code}).`,
      elsewhere,
    );
  }
  process.stderr.write(`The home ${folder} was open to other users; it is closed to them now.\n`);
}

function mustStayInPlace(folder: string): void {
  const strangers = strangersOn(folder, elsewhere);
  if (strangers !== undefined) throw new EnvironmentError(strangers.message, strangers.cure);
}

function mustBeOwn(file: string, own: number, uid: number): void {
  if (uid === own) return;
  throw new EnvironmentError(
    `${file} belongs to another user (id ${uid}), who could have anything done here.`,
    elsewhere,
  );
}
