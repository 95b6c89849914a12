import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { download } from '../../../datasets/download.ts';
import { folderOf } from './files.ts';

const content = Buffer.from('the whole file '.repeat(10_000));
const sha256 = createHash('sha256').update(content).digest('hex');
let server: Server;
let base: string;
let requests: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/good/data.bin') response.end(content);
    else if (request.url === '/wrong/data.bin') response.end('something else');
    else if (request.url === '/torn/data.bin') {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000));
      setTimeout(() => response.destroy(), 50);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  requests = [];
});

const remote = (...folders: string[]) => ({
  name: 'data.bin',
  sha256,
  mirrors: folders.map((folder) => `${base}/${folder}`),
});

test('takes the first mirror that has the right bytes, and only once', async () => {
  const folder = folderOf({});
  const file = await download(remote('absent', 'wrong', 'torn', 'good'), folder);
  expect(readFileSync(file).equals(content)).toBe(true);
  expect(requests).toHaveLength(4);
  expect(await download(remote('good'), folder)).toBe(file);
  expect(requests).toHaveLength(4);
  expect(readdirSync(folder)).toEqual(['data.bin']);
});

test('fetches again what is not whole', async () => {
  const folder = folderOf({});
  writeFileSync(path.join(folder, 'data.bin'), content.subarray(0, 10));
  expect(readFileSync(await download(remote('good'), folder)).equals(content)).toBe(true);
});

test('says what each mirror answered, what to do, and leaves nothing', async () => {
  const folder = folderOf({});
  const failed = download(remote('absent', 'wrong', 'torn'), folder);
  await expect(failed).rejects.toMatchObject({
    name: 'EnvironmentError',
    message: expect.stringMatching(
      /data\.bin cannot be downloaded[\s\S]*404[\s\S]*SHA-256 is [\s\S]*\/torn\//,
    ),
    cure: expect.stringContaining('`path`'),
  });
  expect(readdirSync(folder)).toEqual([]);
});
