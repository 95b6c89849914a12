/** Whatever the set-up and the data sets fetch is held against a SHA-256 (npm's packages against a SHA-512) that is in the project. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..', '..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const digest = /\b[0-9a-f]{64}\b/g;

/** What fetches something, as it stands in the code. */
const fetching =
  /(?<![\w.#])fetch\(|\bdownload\(|\bfetchFile\(|unpackWheel\(|\['pack', '--ignore-scripts'|'(?:install|download)'|\['install|\['build', '-o'|buildGoProgram\(/;

/** Each file that fetches something, and what it is held against. */
const held: Readonly<Record<string, (text: string) => void>> = {
  'artifacts/fetch-file.mjs': () => undefined, // Those who call it are below.
  'datasets/download.ts': (text) => expect(text).toMatch(/if \(digest !== sha256\) throw/),
  'datasets/kinds/mnist.ts': (text) => expect(text.match(digest)).toHaveLength(4),
  'runtime/setup/go-program.mjs': (text) => expect(text).toMatch(/-mod=readonly .*GOTOOLCHAIN: 'local'/),
  'runtime/setup/gpu/cuda.mjs': (text) =>
    expect(text.match(/'[a-z0-9-]+==[\d.]+': '[0-9a-f]{64}'/g)).toHaveLength(text.match(/==\d/g)!.length),
  'runtime/setup/gpu/tfjs-node-gpu.mjs': (text) =>
    expect(text).toMatch(/if \(digest !== SHA256\) \{\s+throw/),
  'runtime/setup/node.mjs': (text) => {
    expect(text.match(digest)).toHaveLength(2);
    expect(text).toMatch(/if \(digest !== DIGESTS\[here\]\)\s+throw/);
  },
  // By package-lock.json.
  'runtime/setup/npm-packages.mjs': (text) =>
    expect(text).toMatch(/\['install', '--no-save', '--ignore-scripts'/),
  // By the requirements files.
  'runtime/setup/python.mjs': (text) => expect(text).toMatch(/'--require-hashes', '-r', requirements/),
  'runtime/setup/temporal.mjs': (text) => {
    expect(text.match(digest)!.length).toBeGreaterThanOrEqual(4);
    for (const fetcher of ['download', 'unpack'])
      expect(text.split(`async function ${fetcher}(`)[1]!.split('\n}\n')[0]).toMatch(
        /await check\(target, sha256\);$/,
      );
  },
  'runtime/setup/tensorflow.mjs': eachWheelHasADigest,
  'runtime/setup/versitygw.mjs': () => undefined, // By go.sum.
  'runtime/setup/wheel.mjs': (text) => expect(text).toMatch(/if \(digest !== sha256\) \{\s+throw/),
  'runtime/watching/open-watch.ts': () => undefined, // Metrics of the process itself.
};

function eachWheelHasADigest(text: string): void {
  const wheels = text.match(/requirement: `[^`]+`/g) ?? [];
  expect(wheels.length).toBeGreaterThan(0);
  expect(text.match(digest)!.length).toBeGreaterThanOrEqual(wheels.length);
}

test('what is fetched is fetched here, and nowhere else', () => {
  const files = globSync(
    '{artifacts,activities,cli,compiler,compute,datasets,packages,report,runtime,science}/**/*.{ts,mjs}',
    { cwd: root },
  );
  expect(files.filter((file) => fetching.test(read(file))).sort()).toEqual(Object.keys(held).sort());
});

test.each(Object.entries(held))('%s holds what it fetches against digests', (file, check) =>
  check(read(file)),
);

test('every npm package of the lock file has a SHA-512', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { readonly integrity?: string; readonly link?: boolean }>;
  };
  const places = Object.keys(packages).filter((place) => place !== '');
  expect(places.length).toBeGreaterThan(300);
  expect(places.filter((place) => !packages[place]!.integrity?.startsWith('sha512-'))).toEqual([]);
});

describe.each(['temporal', 'versitygw'])('the Go modules of %s', (name) => {
  const sums = read(`runtime/setup/go/${name}/go.sum`).trim().split('\n');

  test('have a SHA-256 each, and no other place', () => {
    const modules = Array.from(
      read(`runtime/setup/go/${name}/go.mod`).matchAll(/^\s+(\S+) (v\S+)/gm),
      ([, module, version]) => `${module} ${version}`,
    );
    expect(modules.length).toBeGreaterThan(30);
    expect(modules.filter((module) => !sums.some((sum) => sum.startsWith(`${module} h1:`)))).toEqual([]);
    expect(read(`runtime/setup/go/${name}/go.mod`)).not.toMatch(/replace/);
  });

  test('are of the version that the set-up names', () => {
    const [, version] = /(?:GO_)?VERSION = '([\d.]+)';(?![\s\S]*GO_VERSION = )/.exec(
      read(`runtime/setup/${name}.mjs`),
    )!;
    const main = { temporal: 'github.com/temporalio/cli', versitygw: 'github.com/versity/versitygw' }[name]!;
    expect(read(`runtime/setup/go/${name}/go.mod`)).toMatch(
      new RegExp(`^\\s+${main} v${version!.replaceAll('.', '\\.')}( |$)`, 'm'),
    );
  });
});
