import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<
  string,
  Record<string, string>
>;

/** Packages that no file names as a module, and why they are there. (Of those that one does, protobufjs is one version for all packages of Temporal, which otherwise get two that do not know each other.) */
const unnamed: Readonly<Record<string, string>> = {
  '@biomejs/biome': 'a command of the checks',
  'dependency-cruiser': 'a command of the checks',
  typescript: 'a command of the checks',
  '@types/google-protobuf': 'types that the declarations of tfjs-node name',
  '@types/node': 'types of Node.js',
  '@types/pngjs': 'types of a package',
};

test('every package that is installed is used, or has a reason', () => {
  const files = execFileSync('git', ['ls-files', '*.ts', '*.mjs', '*.cjs'], { cwd: root, encoding: 'utf8' });
  const text = files
    .trim()
    .split('\n')
    .filter((name) => path.join(root, name) !== import.meta.filename)
    .map(read)
    .join('\n');
  const unused = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    (name) => ![`'${name}'`, `'${name}/`, `\`${name}/`].some((mention) => text.includes(mention)),
  );
  expect(unused.sort()).toEqual(Object.keys(unnamed).sort());
});

test.each(['test', 'bench'])('Python packages for %s are pinned by digest, all of them', (folder) => {
  const asked = read(`${folder}/requirements.in`).trim().split('\n');
  const locked = read(`${folder}/requirements.txt`);
  // What an extra of a package needs is locked as packages of their own.
  const plain = asked.map((requirement) => requirement.replace(/\[.*\]/, ''));
  for (const requirement of plain) expect(locked).toContain(`${requirement} \\\n    --hash=sha256:`);
  const entries = locked.split('\n').filter((line) => /^[a-z]/.test(line));
  expect(entries.length).toBeGreaterThanOrEqual(asked.length);
  for (const entry of entries) expect(entry).toMatch(/^[a-z0-9._-]+==\S+ .*\\$/);
});
