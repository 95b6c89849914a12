/** Entry of a worker process, forked by the supervisor. Its only argument is the {@link WorkerOptions} as JSON. */
import { installWorkerRuntime, runWorker, type WorkerOptions } from './worker.ts';

installWorkerRuntime();
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
// Ctrl-C reaches every process of a terminal: it is the supervisor that decides.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => stop.abort());

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
try {
  await runWorker({ ...options, onReady: () => process.send?.({ type: 'ready' }) }, stop.signal);
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
