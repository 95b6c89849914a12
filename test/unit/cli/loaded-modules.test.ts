import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..', '..');
const hooks = path.join(root, 'test', 'fixtures', 'refuse-modules.mjs');

/** Packages and rooms that a command loads, in a home without a server. */
async function loadedBy(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
  const list = path.join(folder, 'loaded');
  const [home, program] = [path.join(folder, 'home'), path.join(root, 'cli', 'epochal.mjs')];
  await promisify(execFile)(process.execPath, ['--import', hooks, program, ...args, '--home', home], {
    env: { ...process.env, EPOCHAL_TEST_LOADED: list, ...environment },
  }).catch(() => undefined);
  const urls = readFileSync(list, 'utf8').trim().split('\n');
  rmSync(folder, { recursive: true });
  const packages = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]);
  const own = urls.filter((url) => !url.includes('/node_modules/')).map((url) => url.split(`${root}/`)[1]);
  return {
    packages: [...new Set(packages.filter((name) => name !== undefined))].sort(),
    rooms: [...new Set(own.filter((name) => name !== undefined).map((name) => path.dirname(name)))].sort(),
  };
}

/** Packages of the commands, of the pipeline language, and of tables. */
const today = [
  ...['@marcbachmann/cel-js', 'ajv', 'apache-arrow', 'canonicalize', 'commander', 'fast-deep-equal'],
  ...['fast-uri', 'fastest-levenshtein', 'flatbuffers', 'json-schema-traverse', 'p-limit', 'picocolors'],
  ...['re2js', 'tslib', 'yaml', 'yocto-queue'],
];

// What is loaded is most of the time that a command takes to start: whoever adds to the list makes it slower for everybody.
test.each([['status'], ['list']])(
  '`%s` loads no more packages than it did, and nothing of workers, also where traces and metrics are asked for',
  async (command) => {
    const loaded = await loadedBy([command]);
    expect(loaded.packages).toEqual(today);
    const asked = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      EPOCHAL_METRICS: '9464',
      EPOCHAL_LOG: 'json',
    };
    expect(await loadedBy([command], asked)).toEqual(loaded);
    for (const room of ['runtime/watching', 'runtime/workers', 'activities/engine', 'activities/processes'])
      expect(loaded.rooms.filter((name) => name === room || name.startsWith(`${room}/`))).toEqual([]);
  },
);
