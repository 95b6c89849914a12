import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { auditPackages } from '../audit.ts';

const root = path.join(import.meta.dirname, '..', '..');

// npm keeps what it was told of a package: not in the user's cache.
const cache = mkdtempSync(path.join(tmpdir(), 'epochal-npm-'));
beforeEach(() => void vi.stubEnv('npm_config_cache', path.join(cache, String(caches++))));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true, maxRetries: 5 });
});
let caches = 0;

/** A registry of this machine, which answers npm as the test says. Gives its address. */
async function registry(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const advisory = (name: string, severity: string) => ({
  [name]: [
    {
      ...{ id: 1, url: 'https://example.org/advisory', title: 'It runs what it is sent', severity },
      ...{ vulnerable_versions: '*', cwe: [], cvss: { score: 9, vectorString: null } },
    },
  ],
});
/** npm asks with a POST what is known, and then for the versions that there are of what is vulnerable. */
const answering = (advisories: object) =>
  registry(({ method, url }, response) => {
    const name = url!.slice(1);
    const versions = { [installed(name)]: { name, version: installed(name) } };
    response.end(JSON.stringify(method === 'POST' ? advisories : { name, versions }));
  });

function installed(name: string): string {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { readonly version: string } | undefined>;
  };
  return lock.packages[`node_modules/${name}`]?.version ?? '0.0.0';
}

test('a package that runs and is known to be vulnerable fails, with where to read of it', async () => {
  const result = await auditPackages(await answering(advisory('pngjs', 'high')));
  expect(result).toEqual({
    verdict: 'failed',
    why: expect.stringMatching(
      /^pngjs .*\(high\): It runs what it is sent, https:\/\/example\.org\/advisory/,
    ),
  });
});

test('what is not severe, or of a package for development only, is no failure', async () => {
  const advisories = { ...advisory('pngjs', 'moderate'), ...advisory('vitest', 'critical') };
  expect(await auditPackages(await answering(advisories))).toEqual({ verdict: 'passed' });
});

test.each<[string, RequestListener, RegExp]>([
  ['refuses', (_request, response) => response.writeHead(405).end(), /405 Method Not Allowed/],
  ['never answers', () => undefined, /./],
])('a registry that %s was not asked, and that is said', async (_what, answer, why) => {
  const result = await auditPackages(await registry(answer), { patience: 1000 });
  expect(result).toEqual({ verdict: 'not asked', why: expect.stringMatching(why) });
});

test('nor was one that is not there', async () => {
  expect(await auditPackages('http://127.0.0.1:9/', { patience: 1000 })).toMatchObject({
    verdict: 'not asked',
  });
});
