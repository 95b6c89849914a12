import { createServer, type ServerResponse } from 'node:http';
import { EnvironmentError, InputError } from '../../artifacts/errors.ts';

/** Where a worker tells of itself. */
export interface StatusPlace {
  readonly host: string;
  readonly port: number;
}

/** What a probe is told; `reason` if the answer is no. */
export interface Verdict {
  readonly reason?: string;
  readonly [more: string]: unknown;
}

export interface StatusPages {
  /** All metrics, as Prometheus reads them. */
  metrics(): Promise<string>;
  /** Whether the worker is alive: one that is not should be started again. */
  health(): Verdict | Promise<Verdict>;
  /** Whether it takes stages. */
  ready(): Verdict | Promise<Verdict>;
}

/** Reads `[HOST:]PORT`; the host is this machine by default. Throws {@link InputError} if it is neither. */
export function statusPlace(text: string): StatusPlace {
  const [, host = '127.0.0.1', digits] = /^(?:\[?([^\s\]]+?)\]?:)?(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535)
    throw new InputError(`${text} is nowhere to tell of metrics at.`, 'Give [HOST:]PORT, such as 9464.');
  return { host, port };
}

/** Serves `/metrics`, `/health` and `/ready`. Throws {@link EnvironmentError} if it cannot listen there. */
export async function openStatusServer(
  { host, port }: StatusPlace,
  pages: StatusPages,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://worker');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    void answer(isRead ? pathname : '', response, pages).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, { reason: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new EnvironmentError(
          `The metrics cannot be told at ${host}:${port} (${error.code}).`,
          'Give another port, or stop what uses it: each worker of a machine needs one of its own.',
        ),
      ),
    );
    server.listen(port, host, () => resolve());
  });
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(pathname: string, response: ServerResponse, pages: StatusPages): Promise<void> {
  if (pathname === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(await pages.metrics());
  } else if (pathname === '/health') sendVerdict(response, await pages.health());
  else if (pathname === '/ready') sendVerdict(response, await pages.ready());
  else sendJson(response, 404, { reason: 'There are /metrics, /health and /ready.' });
}

function sendVerdict(response: ServerResponse, verdict: Verdict): void {
  const { reason, ...more } = verdict;
  if (reason === undefined) sendJson(response, 200, { status: 'ok', ...more });
  else sendJson(response, 503, { status: 'unavailable', reason, ...more });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
