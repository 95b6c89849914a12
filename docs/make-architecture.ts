/**
 * Draws the picture of the rooms in `docs/architecture.md` from what their files import (dependency-cruiser, with the rules of the checks). With
 * `--check` it writes nothing and fails if the page has another picture.
 *
 *     npm run architecture
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

type Imports = ReadonlyMap<string, readonly string[]>;

const root = path.join(import.meta.dirname, '..');
const page = path.join(root, 'docs', 'architecture.md');
const config = '.dependency-cruiser.cjs';
const begin = '<!-- Drawn by `npm run architecture`. -->';
const end = '<!-- End of the picture. -->';

/** The rooms: folders for which a rule says which others they may import. */
function roomsOf(): string[] {
  const { forbidden } = createRequire(import.meta.url)(path.join(root, config)) as {
    readonly forbidden: readonly { readonly name: string; readonly from: { readonly path?: string } }[];
  };
  const rooms = forbidden.flatMap(({ from }) => /^\^(\w+)\/$/.exec(from.path ?? '')?.[1] ?? []);
  return [...new Set(rooms)].sort();
}

/** Room -> rooms of which its files import at least one. */
async function readImports(rooms: readonly string[]): Promise<Imports> {
  const within = `^(${rooms.join('|')})/`;
  // The generator is a program of its own, which asks the rooms above for what it writes.
  const programs = '^schemas/(generate|kind-files|models-page)\\.ts$';
  const args = ['--config', config, '--output-type', 'json', '--collapse', '^[^/]+'];
  args.push('--include-only', within, '--exclude', programs);
  const program = path.join(root, 'node_modules', '.bin', 'depcruise');
  const { stdout } = await promisify(execFile)(program, [...args, ...rooms], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  const { modules } = JSON.parse(stdout) as {
    readonly modules: readonly { source: string; dependencies: readonly { resolved: string }[] }[];
  };
  return new Map(
    modules.map(({ source, dependencies }) => [source, dependencies.map(({ resolved }) => resolved).sort()]),
  );
}

/** Rooms that `room` reaches, itself included. */
function reach(imports: Imports, room: string, seen = new Set<string>()): Set<string> {
  if (seen.has(room)) return seen;
  seen.add(room);
  for (const next of imports.get(room) ?? []) reach(imports, next, seen);
  return seen;
}

/** The picture as Mermaid: an arrow for each import, without those that a longer way says too. */
function draw(imports: Imports): string {
  const arrows = [...imports].flatMap(([room, next]) =>
    next
      .filter((other) => !next.some((way) => way !== other && reach(imports, way).has(other)))
      .map((other) => `  ${room} --> ${other}`),
  );
  return ['```mermaid', 'flowchart TB', ...arrows.sort(), '```'].join('\n');
}

const text = await readFile(page, 'utf8');
const [before, after] = [text.indexOf(begin), text.indexOf(end)];
if (before < 0 || after < before) throw new Error(`Expected \`${begin}\` and then \`${end}\` in ${page}.`);
const picture = draw(await readImports(roomsOf()));
const drawn = `${text.slice(0, before + begin.length)}\n\n${picture}\n\n${text.slice(after)}`;
if (!process.argv.includes('--check')) await writeFile(page, drawn);
else if (drawn !== text) {
  console.error(
    'docs/architecture.md has another picture than the imports give; run `npm run architecture`.',
  );
  process.exitCode = 1;
}
