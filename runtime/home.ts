import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { EnvironmentError } from '../artifacts/errors.ts';
import { homeFolder } from './setup/places.mjs';

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
  /** SQLite file of the embedded Temporal server. */
  readonly database: string;
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
    database: path.join(root, 'temporal.db'),
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
 * Throws {@link EnvironmentError} if it cannot be made, or if it, the link to it or something in it belongs to somebody else.
 */
export function closeHome({ folder }: Home): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EnvironmentError(
      `The home ${folder} cannot be made (${code}).`,
      'Choose another folder with --home or EPOCHAL_HOME.',
    );
  }
  const own = process.getuid?.();
  if (own === undefined) return;
  mustBeOwn(folder, own, lstatSync(folder).uid);
  const { uid, mode } = statSync(folder);
  mustBeOwn(folder, own, uid);
  if ((mode & 0o077) === 0) return;
  for (const name of readdirSync(folder)) {
    const inside = path.join(folder, name);
    mustBeOwn(inside, own, lstatSync(inside).uid);
  }
  chmodSync(folder, 0o700);
  process.stderr.write(`The home ${folder} was open to other users; it is closed to them now.\n`);
}

function mustBeOwn(file: string, own: number, uid: number): void {
  if (uid === own) return;
  throw new EnvironmentError(
    `${file} belongs to another user (id ${uid}), who could have anything done here.`,
    'Choose another folder with --home or EPOCHAL_HOME.',
  );
}
