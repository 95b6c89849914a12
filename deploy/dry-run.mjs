/**
 * Does what deploy/Dockerfile does, without Docker: in a new folder, with an empty home and what .dockerignore lets through; then, as another user than
 * the one that owns the program, what a container does. `node deploy/dry-run.mjs` takes some minutes. What cannot be done so is said: packages of Debian, other
 * images, and what only root may (then the last part runs as this user).
 */
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = mkdtempSync(path.join(tmpdir(), 'epochal-image-'));
const [program, cache, home, state] = ['opt/epochal', 'opt/epochal-cache', 'root', 'var/lib/epochal'].map(
  (name) => path.join(place, name),
);
const programs = path.join(place, 'usr/local/bin');
const user = 1000;

/** The commands of the stage `build`, each a line. */
function commandsOfBuild() {
  const text = readFileSync(path.join(root, 'deploy', 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
  const stage = /^FROM .* AS build$([\s\S]*?)^FROM /m.exec(text)[1];
  return Array.from(stage.matchAll(/^RUN (.*)$/gm), ([, command]) => command.replaceAll(/\s+/g, ' '));
}

/** Files that git knows, as far as .dockerignore lets them through. */
function filesOfContext() {
  const lines = readFileSync(path.join(root, '.dockerignore'), 'utf8').split('\n');
  const kept = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const known = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return known
    .split('\n')
    .filter((file) => kept.some((each) => file === each || file.startsWith(`${each}/`)));
}

/** Without what Epochal and Temporal would go by. */
const outside = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(EPOCHAL|TEMPORAL)_/.test(name)),
);

function run(command, { as, ...environment } = {}) {
  console.log(`$ ${command}`);
  execFileSync('sh', ['-c', command], {
    cwd: as === undefined ? program : state,
    env: { ...outside, PATH: `${programs}:${process.env.PATH}`, HOME: home, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
    ...(as === undefined ? {} : { uid: as, gid: as }),
  });
}

try {
  for (const folder of [program, cache, home, programs, path.dirname(state)])
    mkdirSync(folder, { recursive: true });
  // Where the other user finds it too.
  cpSync(process.execPath, path.join(programs, 'node'));
  for (const file of filesOfContext()) cpSync(path.join(root, file), path.join(program, file));
  for (const command of commandsOfBuild()) {
    if (command.startsWith('apt-get')) console.log(`(not here: ${command})`);
    else run(command, { EPOCHAL_CACHE: cache, EPOCHAL_TENSORFLOW: process.env.FLAVOUR ?? 'cpu' });
  }
  const isRoot = process.getuid() === 0;
  if (!isRoot) console.log('(not root: what follows runs as the user who owns the program)');
  execFileSync('chmod', ['755', place]);
  for (const name of ['', 'home', 'cache']) {
    mkdirSync(path.join(state, name), { recursive: true, mode: 0o700 });
    if (isRoot) chownSync(path.join(state, name), user, user);
  }
  const environment = { EPOCHAL_HOME: path.join(state, 'home'), EPOCHAL_CACHE: path.join(state, 'cache') };
  const contained = { ...environment, ...(isRoot ? { as: user } : {}), NODE_ENV: 'production', HOME: state };
  const start = `node ${program}/cli/epochal.mjs`;
  run(`${start} worker --help > /dev/null`, contained);
  run(`node ${program}/deploy/health.mjs`, contained);
  run(`${start} run ${program}/pipelines/fig16-toy.yaml`, contained);
  console.log('The commands of the image work.');
} finally {
  rmSync(place, { recursive: true, force: true });
}
