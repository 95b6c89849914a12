import { type ActivityInterceptorsFactory, type InjectedSinks, Runtime } from '@temporalio/worker';
import { countComputeProcesses, troubleOf, type WatchStage } from '../../activities/index.ts';
import { EnvironmentError } from '../../artifacts/errors.ts';
import type { SpanSink } from '../../workflows/messages.ts';
import { findFreePort } from '../server/ports.ts';
import type { WorkerLog } from './log.ts';
import { createMetrics, histogramBounds, type WorkerMetrics } from './metrics.ts';
import { traceStages } from './stage-traces.ts';
import { openStatusServer, type StatusPlace } from './status-server.ts';
import { openTraces } from './traces.ts';
import { type Serving, WorkerState } from './worker-state.ts';

/** Times that another port is tried for the metrics of the SDK's native part, which takes none by itself. */
const tries = 5;

/** What there is to see of a worker, for those who operate it. */
export interface WorkerWatch {
  /** Watches the stages that it runs. */
  readonly stage: WatchStage;
  readonly activityInterceptors: readonly ActivityInterceptorsFactory[];
  readonly sinks: InjectedSinks<SpanSink>;
  /** Called once it serves. */
  serve(serving: Serving, slots: { readonly size: number; readonly inUse: number }): void;
  close(): Promise<void>;
}

/**
 * Sets the SDK's runtime up, once a process and before anything else of the SDK is used: signals are left to the caller, and what it logs goes to `log`. Serves metrics and probes
 * at `status` from now on.
 *
 * Throws {@link EnvironmentError} if it cannot listen there.
 */
export async function openWatch(log: WorkerLog, status?: StatusPlace): Promise<WorkerWatch> {
  const [runtime, sdkPort] = await installRuntime(log, status !== undefined);
  log.takeWarnings();
  const traces = await openTraces('worker', (text) => log.say('WARN', text));
  const state = new WorkerState();
  let slots = { size: 0, inUse: 0 };
  const metrics = status === undefined ? undefined : createMetrics(runtime.metricMeter);
  const look = async (): Promise<string> => {
    const { reason } = await state.ready();
    const { size, inUse } = slots;
    metrics?.look({
      ...{ slots: size, slotsInUse: inUse },
      ...{ processes: countComputeProcesses(), isReady: reason === undefined },
    });
    return (await fetch(`http://127.0.0.1:${sdkPort}/metrics`)).text();
  };
  const server =
    status === undefined
      ? undefined
      : await openStatusServer(status, {
          metrics: look,
          health: () => state.health(),
          ready: () => state.ready(),
        });
  const told = tellStages(log, metrics);
  const traced = traces && traceStages(traces);
  return {
    stage:
      traced === undefined
        ? told
        : (stage, work) => told(stage, (ours) => traced(stage, (theirs) => work(both(ours, theirs)))),
    activityInterceptors: traces === undefined ? [] : [traces.activity],
    sinks: { traces: { span: { fn: (_, span) => traces?.tell(span) } } },
    serve(serving, ofWorker) {
      slots = ofWorker;
      state.serve(serving);
    },
    async close() {
      state.end();
      await server?.close();
      await traces?.close();
    },
  };
}

type Told = Parameters<Parameters<WatchStage>[1]>[0];

function both(one: Told, other: Told): Told {
  return {
    ...other,
    onAccount: (account) => {
      one.onAccount?.(account);
      other.onAccount?.(account);
    },
  };
}

/** Puts what becomes of stages into the log and the metrics. */
function tellStages(log: WorkerLog, metrics: WorkerMetrics | undefined): WatchStage {
  return async ({ studyId: study, cellId: cell, stage, uses: kind, attempt }, work) => {
    const place = { study, cell, stage, kind, attempt };
    const begunAt = performance.now();
    const end = (outcome: string) => {
      const seconds = Math.round(performance.now() - begunAt) / 1000;
      metrics?.end(kind, outcome, seconds);
      return { ...place, outcome, seconds };
    };
    metrics?.begin(kind);
    log.stage('INFO', attempt > 1 ? 'stage retried' : 'stage begun', place);
    try {
      const result = await work({ onAccount: (account) => metrics?.move(kind, account) });
      const outcome = result.reused ? 'reused' : 'done';
      log.stage('INFO', `stage ${outcome}`, end(outcome));
      return result;
    } catch (error) {
      const { outcome, cause, message, again } = troubleOf(error);
      const [level, more] =
        outcome === 'failed'
          ? (['WARN', { again, error: { kind: cause, message } }] as const)
          : (['INFO', {}] as const);
      log.stage(level, `stage ${outcome}`, { ...end(outcome), ...more });
      throw error;
    }
  };
}

/** Gives the runtime, and the port of this machine where its own metrics are. */
async function installRuntime(log: WorkerLog, metered: boolean): Promise<[Runtime, number | undefined]> {
  const logging = {
    filter: { core: log.level, other: 'ERROR' as const },
    ...(log.format === 'json' ? { forward: {} } : {}),
  };
  const options = { logger: log.logger, shutdownSignals: [] };
  if (!metered) return [Runtime.install({ ...options, telemetryOptions: { logging } }), undefined];
  for (let failed = 1; ; failed++) {
    const port = await findFreePort();
    const prometheus = { bindAddress: `127.0.0.1:${port}`, histogramBucketOverrides: histogramBounds };
    try {
      return [Runtime.install({ ...options, telemetryOptions: { logging, metrics: { prometheus } } }), port];
    } catch (error) {
      // Another program was faster.
      if (failed < tries && String(error).includes('in use')) continue;
      throw new EnvironmentError(
        `The metrics of the Temporal SDK cannot be had (${error instanceof Error ? error.message : String(error)}).`,
        'Leave out --metrics, or end what takes the free ports of this machine.',
      );
    }
  }
}
