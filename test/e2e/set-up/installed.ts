/** Folders in which the packages are installed as a user has them, without a registry. */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from '../epochal.ts';

const run = promisify(execFile);

export interface InstalledPackage {
  readonly folder: string;
  readonly manifest: {
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  };
}

/**
 * Unpacks a tarball into `node_modules` of a folder, as npm does. What it depends on, and only that, becomes a link to the package of this clone, in place
 * of a download: no registry is asked, and TensorFlow's native addon is there without being compiled. Node goes on from where a link leads, so that
 * dependencies of dependencies are found in the clone too.
 */
export async function unpackInto(place: string, name: string, tarball: string): Promise<InstalledPackage> {
  const modules = path.join(place, 'node_modules');
  const folder = path.join(modules, name);
  mkdirSync(folder, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components', '1']);
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(manifest.dependencies)) {
    const link = path.join(modules, dependency);
    mkdirSync(path.dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(path.join(root, 'node_modules', dependency), link);
  }
  return { folder, manifest };
}

/** Takes over what the set-up of this clone has put in place for all: libtensorflow and the Temporal server are not fetched again. */
export function takeOverSetUp(place: string): void {
  const name = path.join('node_modules', '.epochal-setup.json');
  copyFileSync(path.join(root, name), path.join(place, name));
}
