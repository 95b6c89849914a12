import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { preciousFile } from '../fixtures/attack.ts';
import { type LocalStudies, openLocalStudies } from '../fixtures/local-study.ts';

const chromium = findChromium();
if (chromium === undefined)
  console.warn('NO CHROMIUM: attacks from a web page were not tried (apt-get install chromium).');

function findChromium(): string | undefined {
  return ['chromium', 'chromium-browser', 'google-chrome'].find((program) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

let studies: LocalStudies;
let pages: Server;
let origin: string;
let profile: string;
let visit: () => void;
const visited = new Promise<void>((resolve) => {
  visit = resolve;
});
let page = '';

beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 1 });
  if (chromium === undefined) return;
  profile = await mkdtemp(path.join(tmpdir(), 'web-'));
  pages = createServer((request, response) => {
    if (request.url === '/done') visit();
    response.setHeader('content-type', 'text/html').end(request.url === '/' ? page : '');
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
});
afterAll(async () => {
  pages?.close();
  await studies?.close();
  if (profile !== undefined) await rm(profile, { recursive: true, force: true, maxRetries: 20 });
});

/** The loopback ports at which a process listens, which anybody finds by trying. */
async function portsOf(pid: number): Promise<number[]> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((name) => readlink(path.join(folder, name)).catch(() => ''));
  const sockets = new Set(await Promise.all(links));
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(`socket:[${inode}]`))
    .map(([, local]) => Number.parseInt(local!.split(':')[1]!, 16));
}

interface Order {
  readonly url: string;
  readonly body: string;
}

/** Posts each order as text, which no browser asks leave for, by `fetch` and by a form; then tells that it is done. */
function attackingPage(orders: readonly Order[]): string {
  return `<!doctype html><body><script>
const orders = ${JSON.stringify(orders)};
const byForm = ({ url, body }) => new Promise((resolve) => {
  const frame = document.createElement('iframe');
  frame.name = url;
  document.body.append(frame);
  const form = Object.assign(document.createElement('form'), { action: url + '-form', method: 'post', enctype: 'text/plain', target: url });
  const input = document.createElement('input');
  // A form sends name=value: the equals sign goes into a string that nobody reads.
  input.name = body.slice(0, -1) + ',"identity":"';
  input.value = '"}';
  form.append(input);
  document.body.append(form);
  frame.onload = resolve;
  form.submit();
});
(async () => {
  for (const order of orders) {
    const sent = { method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: order.body };
    await fetch(order.url + '-fetch', sent).catch(() => undefined);
    await byForm(order);
  }
  await fetch('/done');
})();
</script>`;
}

/** Sends an order to start a cell to every port of the server, as `send` does it, and gives the names of those that were started. */
async function startedBy(name: string, send: (orders: readonly Order[]) => Promise<void>): Promise<string[]> {
  const storeUri = studies.storeUri();
  const precious = preciousFile(path.join(studies.home, name), fileURLToPath(storeUri));
  const cell = { id: precious.cellId, axes: {}, params: {}, stages: [] };
  const body = JSON.stringify({
    workflowType: { name: 'cell' },
    taskQueue: { name: 'epochal' },
    input: [{ studyId: 'x', storeUri, baseDirectory: '/', cell }],
  });
  const ports = await portsOf(studies.runtime.processes.server!);
  expect(ports.length).toBeGreaterThan(2);
  const idOf = (port: number) => `of-${name}-${port}`;
  const place = 'api/v1/namespaces/default/workflows';
  await send(ports.map((port) => ({ url: `http://127.0.0.1:${port}/${place}/${idOf(port)}`, body })));
  const started: string[] = [];
  for (const id of ports.flatMap((port) => [`${idOf(port)}-fetch`, `${idOf(port)}-form`])) {
    const description = studies.client.workflow.getHandle(id).describe();
    await description.then(
      () => started.push(id),
      (error) => expect(error).toMatchObject({ name: 'WorkflowNotFoundError' }),
    );
  }
  expect(precious.contents()).toBe('precious');
  return started;
}

const isLinux = process.platform === 'linux';

test.runIf(isLinux)('what a page sends is no order to the server', async () => {
  const started = await startedBy('a-page', async (orders) => {
    const headers = { 'content-type': 'text/plain', origin: 'http://a.page' };
    for (const { url, body } of orders) {
      // The other ports speak something else, and some of them say nothing to that.
      const signal = AbortSignal.timeout(20_000);
      await fetch(`${url}-fetch`, { method: 'POST', headers, body, signal }).catch(() => undefined);
    }
  });
  expect(started).toEqual([]);
});

test.runIf(isLinux && chromium !== undefined)(
  'a page that a browser of this machine has open gives no order to the server',
  async () => {
    const started = await startedBy('a-browser', async (orders) => {
      page = attackingPage(orders);
      const browser = startBrowser(origin);
      await visited;
      browser.kill('SIGTERM');
      await once(browser, 'exit');
    });
    expect(started).toEqual([]);
  },
);

function startBrowser(url: string): ChildProcess {
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-dev-shm-usage',
  ];
  // It leaves a folder with a socket, whose path must be short, wherever temporary files go.
  const env = { ...process.env, TMPDIR: profile };
  return spawn(chromium!, [...flags, `--user-data-dir=${profile}`, url], { stdio: 'ignore', env });
}
