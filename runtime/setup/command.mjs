import { spawn } from 'node:child_process';

const KEPT_LINES = 15;
const BEAT_SECONDS = 5;

/** Set-up cannot go on; `cure` says what to do. */
export class SetupError extends Error {
  constructor(message, cure) {
    super(message);
    this.name = 'SetupError';
    this.cure = cure;
  }
}

/** Says what set-up is doing. On standard error, so that standard output stays the command's own. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs `work` and tells every few seconds how long it has taken, so that nobody has to guess whether it still runs.
 */
export async function withElapsed(label, work) {
  const begin = Date.now();
  const beat = setInterval(() => {
    say(`  ${label}: ${Math.round((Date.now() - begin) / 1000)} s`);
  }, BEAT_SECONDS * 1000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

/**
 * Runs a program to its end and gives what it wrote to standard output.
 * Throws {@link SetupError} with the command, its last lines and `cure` when it fails or cannot be started.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cure?: string, cwd?: string, env?: NodeJS.ProcessEnv, label?: string }} options
 * @returns {Promise<string>}
 */
export async function runCommand(command, args, { cure, cwd, env = process.env, label = command } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let everything = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    everything += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    everything += text;
  });
  const ending = await withElapsed(
    label,
    () =>
      new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('close', (code, signal) =>
          resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)),
        );
      }),
  );
  if (ending === undefined) return output;
  const lines = everything.trimEnd().split('\n').slice(-KEPT_LINES);
  const shown = [command, ...args].map((word) => (word.includes('\n') ? '<script>' : word)).join(' ');
  throw new SetupError(
    [`Failed (${ending}): ${shown}`, ...lines.map((line) => `    ${line}`)].join('\n'),
    cure,
  );
}
