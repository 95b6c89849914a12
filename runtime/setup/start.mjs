import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs the set-up in a process of its own, which says on standard error what it does.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} Its exit code.
 */
export async function startSetUp(args) {
  const main = fileURLToPath(new URL('main.mjs', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches it by itself.
  const hold = () => undefined;
  process.on('SIGINT', hold);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  process.off('SIGINT', hold);
  return code ?? 1;
}
