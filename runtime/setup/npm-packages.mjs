import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand, SetupError } from './command.mjs';
import { readJson } from './install-once.mjs';
import { isPackage, packages, root } from './places.mjs';
import { addToStamp, digestOf, readStamp } from './stamp.mjs';

const lockFile = path.join(root, 'package-lock.json');

/**
 * The packages of package-lock.json. Install scripts stay off: what needs one (TensorFlow's binding) is a step of its own. `npm ci` would
 * refuse a lock file that lacks the optional packages of other platforms, which a registry may not have; `npm install` leaves them out.
 */
export const npmPackages = {
  name: 'npm packages',
  does: 'installing the npm packages',
  isDone: () => {
    if (!packagesAreInstalled()) return false;
    if (isPackage) return true;
    const digest = digestOf(readFileSync(lockFile));
    if (readStamp().packages !== digest) addToStamp({ packages: digest });
    return true;
  },
  run: async () => {
    if (isPackage)
      throw new SetupError(
        `Not all packages that epochal depends on are in ${packages}.`,
        'Install it again: `npm install epochal`.',
      );
    await runCommand('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: root,
      label: 'npm install',
      cure: 'Check that the npm registry can be reached (`npm ping`), and run this again.',
    });
    addToStamp({ packages: digestOf(readFileSync(lockFile)) });
  },
};

/** Whether the packages of package-lock.json were installed, and all of their folders are still there; of a package, those it depends on. */
export function packagesAreInstalled() {
  if (isPackage)
    return Object.keys(readJson(path.join(root, 'package.json'))?.dependencies ?? {}).every(isThere);
  const lock = readFileSync(lockFile);
  const wanted = JSON.parse(lock).packages;
  const have = readJson(path.join(packages, '.package-lock.json'))?.packages;
  return (
    have !== undefined &&
    (readStamp().packages === digestOf(lock) || holds(wanted, have)) &&
    Object.keys(wanted).every((place) => have[place] === undefined || existsSync(path.join(root, place)))
  );
}

function isThere(name) {
  return [packages, path.join(root, 'node_modules')].some((folder) => existsSync(path.join(folder, name)));
}

/** Whether what npm installed last is what the lock file asks for; optional packages may be left out on this platform. */
export function holds(wanted, have = {}) {
  return Object.entries(wanted).every(
    ([place, { version, optional = false, devOptional = false, peer = false }]) =>
      place === '' ||
      (have[place] === undefined ? optional || devOptional || peer : have[place].version === version),
  );
}
