/** Entry of a worker process, forked by the supervisor. Its only argument is the {@link WorkerOptions} as JSON, but for the server, of which it is told. */
import { setPriority } from 'node:os';
import type { ServerPlace } from '../server/place.ts';
import { registerUser } from '../server/server-process.ts';
import { WorkerLog } from '../watching/log.ts';
import { logSettings } from '../watching/log-settings.ts';
import { openWatch, type WorkerWatch } from '../watching/open-watch.ts';
import { runWorker, type WorkerOptions } from './worker.ts';

/** What the supervisor and its worker say to each other: where the server is; that the worker is ready, is to stop, or is to drain, and does so. */
export type WorkerWord = { readonly server: ServerPlace } | 'ready' | 'stop' | 'drain' | 'draining';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<WorkerOptions, 'server'>;
const { promise: server, resolve: isAt } = Promise.withResolvers<ServerPlace>();
const stop = new AbortController();
const drain = new AbortController();
const say = (word: WorkerWord): void => void process.send?.(word);

try {
  // The server and the commands that people wait for come first when cores are scarce; its compute processes come after it.
  setPriority(5);
} catch {
  // Not on this system: a courtesy only.
}
let log: WorkerLog | undefined;
const opening = watchThis();
// Ctrl-C, the end of a terminal and the warning of a batch system reach every process: it is the supervisor that decides, as long as there is one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
  process.on(signal, () => {
    if (drain.signal.aborted) stop.abort();
  });
process.on('disconnect', () => {
  if (!drain.signal.aborted) stop.abort();
});
process.on('message', async (word: WorkerWord) => {
  if (typeof word === 'object') isAt(word.server);
  if (word === 'stop') stop.abort();
  if (word !== 'drain') return;
  // From now on the server stays for this process too, until it ends.
  await registerUser(options.home.serverUsers);
  drain.abort();
  say('draining');
});

let isServing = false;
// One that is stopped before it has a server has nothing to hand back.
stop.signal.addEventListener('abort', () => {
  if (!isServing) process.exit(0);
});
void server.then(() => {
  isServing = true;
});

try {
  const watch = await opening;
  await runWorker(
    { ...options, server, onReady: () => say('ready') },
    { stop: stop.signal, drain: drain.signal },
    watch,
  );
  await watch.close();
  process.exit(0);
} catch (error) {
  if (log?.format === 'json') log.fault(error);
  else console.error(error);
  process.exit(1);
}

async function watchThis(): Promise<WorkerWatch> {
  log = new WorkerLog(logSettings({}));
  return openWatch(log);
}
