import path from 'node:path';
import { homeFolder } from './setup/places.mjs';

/** Where everything lives that belongs to one place of work: the server's database, logs, the default store. */
export interface Home {
  /** `EPOCHAL_HOME`, else `.epochal` in the working directory. */
  readonly folder: string;
  readonly logs: string;
  /** Default store, as a URI of a folder. */
  readonly store: string;
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
export function findHome(folder = homeFolder()): Home {
  const root = path.resolve(folder);
  return {
    folder: root,
    logs: path.join(root, 'logs'),
    store: path.join(root, 'store'),
    database: path.join(root, 'temporal.db'),
    serverRecord: path.join(root, 'server.json'),
    serverUsers: path.join(root, 'server-users'),
    bundles: path.join(root, 'bundles'),
  };
}
