import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import {
  type ActivitySlotInfo,
  NativeConnection,
  type SlotSupplier,
  type WorkerOptions as TemporalWorkerOptions,
  Worker,
  type WorkerDeploymentOptions,
} from '@temporalio/worker';
import { createActivities, expectStages } from '../../activities/index.ts';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { type TaskQueue, taskQueueOf } from '../../workflows/messages.ts';
import type { Home } from '../home.ts';
import { failuresAs } from '../seal/failures-as.ts';
import { readKey } from '../seal/home-key.ts';
import { refuseUnsealed } from '../seal/refuse-unsealed.ts';
import { sealingCodec } from '../seal/sealing-codec.ts';
import { servedStores } from '../seal/served-stores.ts';
import { connectionOptions, cureOf } from '../server/connection.ts';
import { deploymentName, hasDeployments } from '../server/deployment.ts';
import type { ServerPlace } from '../server/place.ts';
import type { WorkerWatch } from '../watching/open-watch.ts';
import { Caretaker } from './caretaker.ts';
import { ThreadSlots } from './slots.ts';
import { findUsableGpus } from './usable-gpus.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

export interface WorkerOptions {
  /** Where the server is, or will be: until then the worker makes itself ready. */
  readonly server: ServerPlace | Promise<ServerPlace>;
  /** Where its key lies, and the bundle of the workflow code. */
  readonly home: Home;
  /** The only stores that it serves; default: those that were ever named in the home. */
  readonly stores?: readonly string[];
  /** Stages of one thread that compute at the same time on the CPU. */
  readonly concurrency: number;
  /** The only queues of stages that it serves, by name; default: `cpu`, and `gpu` with a GPU or if it stands in for one. */
  readonly queues?: readonly string[];
  /** Take stages that ask for a GPU although there is none, and compute them on the CPU (each with a note). For studies on one machine. */
  readonly standInForGpu: boolean;
  /** End, as by draining, when nothing was to be done for so many milliseconds. */
  readonly untilIdleMs?: number;
  /** Called once tasks are being polled. */
  readonly onReady?: () => void;
}

/** Settings of each queue's worker. Heartbeats are not held back: those of a killed worker would be lost. */
const common = {
  maxHeartbeatThrottleInterval: '200 milliseconds',
  defaultHeartbeatThrottleInterval: '200 milliseconds',
  // When a worker dies, its workflows wait this long for it before another worker may have them.
  stickyQueueScheduleToStartTimeout: '2 seconds',
} satisfies Partial<TemporalWorkerOptions>;

/** A queue of stages has nothing else. */
const one = { type: 'fixed-size', numSlots: 1 } as const;
const noOtherTasks = {
  workflowTaskSlotSupplier: one,
  localActivityTaskSlotSupplier: one,
  nexusTaskSlotSupplier: one,
};

/** A server that answers gives a stopping worker's polls back at once; one that is gone never does, and is not waited for any longer. */
const pollsReturnMs = 5_000;

/** Stages are stopped by their own signal; without it a worker that shuts down waits for them. */
const graceTime = '20 days';

/** How a worker ends. */
export interface WorkerSignals {
  /** Running stages are stopped and handed back, to go on from their checkpoints in another worker. */
  readonly stop: AbortSignal;
  /** No more stages are taken, and those that run end first. */
  readonly drain?: AbortSignal;
}

/**
 * Serves workflows and stages until a signal aborts, watched by `watch`, which is opened before and closed after by the caller. Throws {@link EnvironmentError} if no server answers.
 */
export async function runWorker(
  options: WorkerOptions,
  signals: WorkerSignals,
  watch: WorkerWatch,
): Promise<void> {
  const { concurrency, home } = options;
  const { code, buildId } = await bundleWorkflows(home);
  const key = readKey(home);
  const server = await options.server;
  const { namespace, hides = false } = server;
  const sealed = {
    dataConverter: { payloadCodecs: [sealingCodec(key, 'mark', hides)], ...failuresAs(hides) },
    interceptors: { activity: [refuseUnsealed, ...watch.activityInterceptors] },
    sinks: watch.sinks,
  };
  const connection = await connectNatively(server);
  try {
    const deployments = { service: connection.workflowService, namespace };
    const caretaker = (await hasDeployments(deployments)) ? new Caretaker(deployments, buildId) : undefined;
    const usable = await findUsableGpus();
    const { gpus, why = 'none can be seen' } = usable;
    if (gpus.length === 0 && !options.standInForGpu && options.queues?.includes('gpu'))
      throw new EnvironmentError(
        `This machine has no GPU that TensorFlow can use (${why}), so it cannot serve the queue gpu.`,
        'Name other queues with --queue, or look what `epochal doctor` says of GPUs.',
      );
    expectStages(concurrency);
    const slots = new ThreadSlots(concurrency);
    const { records, stages } = createActivities(
      usable,
      servedStores(home, options.stores),
      slots,
      signals.stop,
      watch.stage,
    );
    const serve = (taskQueue: TaskQueue, settings: Partial<TemporalWorkerOptions>): Promise<Worker> =>
      Worker.create({ connection, namespace, taskQueue, ...common, ...sealed, ...settings });
    // A queue of one's own on a machine with GPUs is for them, unless that of the CPU.
    const slotsOf = (queue: string): SlotSupplier<ActivitySlotInfo> =>
      queue === 'cpu' || gpus.length === 0 ? slots.queue() : { type: 'fixed-size', numSlots: gpus.length };
    const serveStages = (queue: string): Promise<Worker> =>
      serve(taskQueueOf(queue), {
        activities: stages,
        tuner: { ...noOtherTasks, activityTaskSlotSupplier: slotsOf(queue) },
        shutdownGraceTime: graceTime,
      });
    const workers = [
      await serve('epochal', {
        workflowBundle: { code },
        ...(caretaker === undefined ? {} : { workerDeploymentOptions: ofVersion(buildId) }),
        activities: records,
        maxConcurrentActivityTaskExecutions: 20,
        shutdownForceTime: '15 seconds',
      }),
    ];
    const usual = gpus.length > 0 || options.standInForGpu ? ['cpu', 'gpu'] : ['cpu'];
    for (const queue of new Set(options.queues ?? usual)) workers.push(await serveStages(queue));
    const ended = new AbortController();
    const { drain, stop } = signals;
    const idle = idleFor(workers, slots, options.untilIdleMs, ended.signal);
    const drains = AbortSignal.any([idle, ...(drain === undefined ? [] : [drain])]);
    const leaving = AbortSignal.any([stop, drains]);
    watch.serve({ workers, connection, leaving }, slots);
    try {
      await runAll(workers, { stop, drain: drains }, async (leaving) => {
        await caretaker?.begin(leaving);
        options.onReady?.();
        await caretaker?.stay(leaving);
      });
    } finally {
      ended.abort();
    }
  } finally {
    // Workers that were given up still hold it, to the end of the process.
    await connection.close().catch(() => undefined);
  }
}

/** A study, and each of its cells, stays with the code that began it; stages are for whatever worker knows their kinds. */
function ofVersion(buildId: string): WorkerDeploymentOptions {
  const version = { deploymentName, buildId };
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' };
}

/** Aborts when these workers have had nothing to do for `limitMs`; never without a limit. Looks until `ended`. */
function idleFor(
  workers: readonly Worker[],
  slots: ThreadSlots,
  limitMs: number | undefined,
  ended: AbortSignal,
): AbortSignal {
  const idle = new AbortController();
  if (limitMs === undefined) return idle.signal;
  let busyAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const isBusy = workers.some((worker) => {
      const { numInFlightActivities, numInFlightWorkflowActivations } = worker.getStatus();
      return numInFlightActivities + numInFlightWorkflowActivations > 0;
    });
    if (isBusy) busyAt = now;
    if (now - Math.max(busyAt, slots.usedAt) > limitMs) idle.abort();
  }, 100);
  ended.addEventListener('abort', () => clearInterval(timer), { once: true });
  return idle.signal;
}

async function runAll(
  workers: readonly Worker[],
  { stop, drain }: WorkerSignals,
  meanwhile: (leaving: AbortSignal) => Promise<void>,
): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    leaving.abort();
  };
  const runs = workers.map((worker) => worker.run());
  const ending = AbortSignal.any(drain === undefined ? [stop] : [stop, drain]);
  ending.addEventListener('abort', leave, { once: true });
  if (ending.aborted) leave();
  const settled = new AbortController();
  const givenUp = withoutServer(workers, leaving.signal, settled.signal);
  const done = meanwhile(leaving.signal);
  try {
    await Promise.race([Promise.all([done, ...runs]), givenUp]);
  } finally {
    leave();
    await Promise.race([Promise.allSettled(runs), givenUp]);
    settled.abort();
    ending.removeEventListener('abort', leave);
  }
}

/** Resolves once leaving workers have had no activity for {@link pollsReturnMs} and yet do not end; never after `settled`. */
async function withoutServer(
  workers: readonly Worker[],
  leaving: AbortSignal,
  settled: AbortSignal,
): Promise<void> {
  const never = new Promise<void>(() => undefined);
  const over = AbortSignal.any([leaving, settled]);
  if (!over.aborted) await once(over, 'abort');
  for (let idle = 0; idle < pollsReturnMs; ) {
    if (settled.aborted) return never;
    const before = performance.now();
    await setTimeout(100);
    const busy = workers.some((worker) => worker.getStatus().numInFlightActivities > 0);
    idle = busy ? 0 : idle + performance.now() - before;
  }
}

async function connectNatively(server: ServerPlace): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(connectionOptions(server));
  } catch (error) {
    throw new EnvironmentError(
      `No Temporal server answers at ${server.address} (${error instanceof Error ? error.message : String(error)}).`,
      cureOf(server),
    );
  }
}
