import { existsSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand, SetupError } from './command.mjs';
import { installed, installOnce } from './install-once.mjs';
import { cacheFolder, packages } from './places.mjs';
import { addToStamp, readStamp } from './stamp.mjs';
import { runsTypeScript } from './versions.mjs';

const VERSION = '24.21.0';
const link = path.join(packages, '.bin', 'node');
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
    replaceLink(path.join('..', '..', 'cli', 'epochal.mjs'), launcher);
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
      // A folder with a package.json of its own: npm would otherwise install into one above it.
      writeFileSync(path.join(temporary, 'package.json'), '{ "private": true }\n');
      // The package for one platform holds the program itself; `node` fetches it by an install script, which may be off.
      for (const name of [`node-${process.platform}-${process.arch}`, 'node']) {
        try {
          await runCommand('npm', ['install', '--no-audit', '--no-fund', `${name}@${VERSION}`], options);
          const program = path.join('node_modules', name, 'bin', 'node');
          const answer = await runCommand(path.join(temporary, program), ['--version'], options);
          if (answer.trim() !== `v${VERSION}`)
            throw new SetupError(`Expected Node v${VERSION}, got ${answer}`, options.cure);
          return { program };
        } catch (error) {
          if (name === 'node') throw error;
        }
      }
      return undefined;
    }));
  return path.join(folder, marker.program);
}

function replaceLink(target, place) {
  rmSync(place, { force: true });
  symlinkSync(target, place);
}
