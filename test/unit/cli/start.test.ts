/** What a command loads is most of the time that it takes: those that only look at a study load nothing that they do not need. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import { trivialPipeline, writeLargeStudy } from '../../fixtures/large-study.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const hook = pathToFileURL(path.join(root, 'test/fixtures/loaded-packages.mjs')).href;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'epochal-start-'));
  await writeLargeStudy(await openStore(path.join(home, 'store')), trivialPipeline(2));
});
afterAll(() => rmSync(home, { recursive: true }));

async function packagesOf(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const loaded = path.join(home, 'loaded.txt');
  await promisify(execFile)(
    process.execPath,
    ['--import', hook, path.join(root, 'cli/epochal.mjs'), ...args, '--home', home],
    { env: { ...process.env, EPOCHAL_LOADED: loaded, ...environment } },
  );
  return readFileSync(loaded, 'utf8').split('\n');
}

const heavy = ['apache-arrow', 'ajv', 'yaml', '@marcbachmann/cel-js', 're2js', 'vega', '@temporalio/worker'];

test.each(['status', 'list'])('`%s` loads neither Arrow nor the compiler', async (command) => {
  const packages = await packagesOf([command]);
  expect(packages).toContain('commander');
  expect(packages.filter((name) => heavy.includes(name))).toEqual([]);
});

test('`status` loads nothing for traces, metrics and logs, also where the environment asks for them', async () => {
  const packages = await packagesOf(['status']);
  const all = ['commander', 'fastest-levenshtein', 'p-limit', 'picocolors', 'yocto-queue'];
  expect(packages).toEqual(all);
  const asked = {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'otlp' },
    ...{ EPOCHAL_METRICS: '9464', EPOCHAL_LOG: 'json' },
  };
  expect(await packagesOf(['status'], asked)).toEqual(all);
});

test('`verify` loads Arrow, as this test would see', async () => {
  const packages = await packagesOf(['verify']);
  expect(packages).toContain('apache-arrow');
});
