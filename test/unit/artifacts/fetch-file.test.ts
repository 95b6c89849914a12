import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { fetchFile } from '../../../artifacts/fetch-file.mjs';

/** A server that answers with `parts`, one each `pauseMs`, and then, if it is to fall silent, nothing more. */
async function serve(parts: number, pauseMs: number, silent: boolean) {
  const server = createServer(async (_, response) => {
    response.writeHead(200);
    for (let part = 0; part < parts && !response.destroyed; part++) {
      response.write(`${part};`);
      await setTimeout(pauseMs);
    }
    if (!silent) response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, target: path.join(folder, 'file') };
}

test('a download may take many times the allowed silence while bytes keep coming', async () => {
  const { url, target } = await serve(60, 100, false);
  await fetchFile(url, target, { silence: 5000 });
  expect(readFileSync(target, 'utf8')).toBe(Array.from({ length: 60 }, (_, part) => `${part};`).join(''));
});

test('a server that falls silent is given up, and the reason told', async () => {
  const { url, target } = await serve(2, 0, true);
  await expect(fetchFile(url, target, { silence: 200 })).rejects.toThrow('sent nothing for 0.2 s');
});

test('a download of more than may be is ended, however much would come', async () => {
  const { url, target } = await serve(Number.POSITIVE_INFINITY, 0, false);
  await expect(fetchFile(url, target, { most: 100 })).rejects.toThrow('sent more than 100 bytes');
  expect(readFileSync(target, 'utf8').length).toBeLessThanOrEqual(100);
});
