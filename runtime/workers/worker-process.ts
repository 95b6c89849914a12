/** Entry of a worker process, forked by the supervisor. Its only argument is the {@link WorkerOptions} as JSON. */
import { registerUser } from '../server/server-process.ts';
import { installWorkerRuntime, runWorker, type WorkerOptions } from './worker.ts';

/** What the supervisor and its worker say to each other: the worker is ready, is to stop, or is to drain, and does so. */
export type WorkerWord = 'ready' | 'stop' | 'drain' | 'draining';

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
const stop = new AbortController();
const drain = new AbortController();
const say = (word: WorkerWord): void => void process.send?.(word);

installWorkerRuntime();
// Ctrl-C, the end of a terminal and the warning of a batch system reach every process: it is the supervisor that decides, as long as there is one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
  process.on(signal, () => {
    if (drain.signal.aborted) stop.abort();
  });
process.on('disconnect', () => {
  if (!drain.signal.aborted) stop.abort();
});
process.on('message', async (word: WorkerWord) => {
  if (word === 'stop') stop.abort();
  if (word !== 'drain') return;
  // From now on the server stays for this process too, until it ends.
  await registerUser(options.home.serverUsers);
  drain.abort();
  say('draining');
});

try {
  await runWorker({ ...options, onReady: () => say('ready') }, { stop: stop.signal, drain: drain.signal });
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
