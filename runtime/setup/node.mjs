import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand, SetupError } from './command.mjs';
import { installed, installOnce } from './install-once.mjs';
import { cacheFolder, isPackage, packages, root } from './places.mjs';
import { addToStamp, digestOfFile, readStamp } from './stamp.mjs';
import { runsTypeScript } from './versions.mjs';

const VERSION = '24.21.0';
/** SHA-256 of the program, of each platform that a libtensorflow is known for. */
const DIGESTS = {
  'linux-x64': '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
  'linux-arm64': '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
};
/** Where npm's scripts of a clone find it first; scripts of a project that has this as a package keep their own. */
const link = isPackage ? path.join(root, '.node') : path.join(packages, '.bin', 'node');
const launcher = path.join(packages, '.bin', 'epochal');

/** A Node that runs TypeScript files: the one that is here, else one from npm, linked where npm's scripts find it first. */
export const node = {
  name: 'Node.js',
  does: `installing Node.js ${VERSION} beside the machine's ${process.version}`,
  isDone: () => {
    const known = readStamp().node;
    return known !== undefined && existsSync(launcher) && existsSync(link) && realpathSync(link) === known;
  },
  run: async () => {
    const binary = realpathSync(runsTypeScript(process.version) ? process.execPath : await installNode());
    replaceLink(binary, link);
    mkdirSync(path.dirname(launcher), { recursive: true });
    replaceLink(path.relative(path.dirname(launcher), path.join(root, 'cli', 'epochal.mjs')), launcher);
    addToStamp({ node: binary });
  },
};

/** The Node that runs the project. Only after the step is done. */
export function chosenNode() {
  return link;
}

async function installNode() {
  const folder = path.join(cacheFolder(), `node-${VERSION}`);
  const marker =
    installed(folder) ??
    (await installOnce(folder, async (temporary) => {
      const options = {
        cwd: temporary,
        label: `Node.js ${VERSION}`,
        cure: 'Install Node.js 24 yourself (nodejs.org), and run this again.',
      };
      const here = `${process.platform}-${process.arch}`;
      // A folder with a package.json of its own: npm would otherwise install into one above it.
      writeFileSync(path.join(temporary, 'package.json'), '{ "private": true }\n');
      // The package of one platform holds the program itself, so no install script need run.
      const name = `node-${here}`;
      const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${VERSION}`];
      await runCommand('npm', install, options);
      const program = path.join('node_modules', name, 'bin', 'node');
      const digest = await digestOfFile(path.join(temporary, program));
      if (digest !== DIGESTS[here])
        throw new SetupError(
          `${name} ${VERSION} is not the program that this version of Epochal was made with: expected SHA-256 ${DIGESTS[here]}, got ${digest}.`,
          options.cure,
        );
      return { program };
    }));
  return path.join(folder, marker.program);
}

function replaceLink(target, place) {
  rmSync(place, { force: true });
  symlinkSync(target, place);
}
