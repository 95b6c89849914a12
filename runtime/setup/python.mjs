import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.mjs';
import { installed, installOnce } from './install-once.mjs';
import { cacheFolder, root } from './places.mjs';
import { addToStamp, digestOf, readStamp } from './stamp.mjs';

const CURE =
  'Install Python 3.10 or newer with venv (Debian, Ubuntu: `apt install python3 python3-venv`), and run this again.';

/** A step that makes a Python environment of its own out of a requirements file of the project. Nothing of it is needed to run studies. */
export function pythonEnvironment(name, requirementsFile, purpose) {
  const requirements = path.join(root, requirementsFile);
  const digest = () => digestOf(readFileSync(requirements));
  return {
    name: `Python for ${purpose}`,
    does: `installing Python packages for ${purpose}`,
    isDone: () => {
      const known = readStamp()[name];
      return known !== undefined && known.requirements === digest() && existsSync(known.program);
    },
    run: async () => {
      const folder = path.join(cacheFolder(), `python-${name}-${digest().slice(0, 16)}`);
      const program = path.join(folder, 'bin', 'python');
      if (installed(folder) === undefined) {
        await installOnce(folder, async (temporary) => {
          await runCommand('python3', ['-m', 'venv', temporary], { label: 'venv', cure: CURE });
          const options = ['--disable-pip-version-check', '-q', '--require-hashes', '-r', requirements];
          await runCommand(path.join(temporary, 'bin', 'python'), ['-m', 'pip', 'install', ...options], {
            label: 'pip install',
            cure: CURE,
          });
          return { requirements: digest() };
        });
      }
      addToStamp({ [name]: { program, requirements: digest() } });
    },
  };
}
