import { checkedName } from '../../artifacts/store/names.ts';
import { findStep } from '../../artifacts/store/outputs.ts';
import type { Step } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { type StageOutcome, type StageTask, workflowIdOf } from '../../workflows/messages.ts';
import { mustComputeAsPlanned } from '../kinds/known-version.ts';
import { outsideDigests } from '../kinds/own-kinds.ts';
import { type ComputeResult, compute } from '../processes/compute-client.ts';
import type { ComputeRequest } from '../processes/compute-protocol.ts';
import { describeGpus, type GpuPool } from '../processes/gpus.ts';
import { OutOfMemoryError } from '../processes/out-of-memory.ts';
import type { StageAccount } from '../processes/stage-account.ts';
import { toStageFailure } from './failures.ts';
import { blameRoom, hasRoom, NoRoomError } from './full-disk.ts';
import { type Heartbeats, withHeartbeats } from './heartbeat.ts';
import { resolveWith } from './resolve-with.ts';
import { SingleFlight } from './single-flight.ts';
import { damageNotes, deviceOf, outcome, recordStep, stepOfStage } from './step.ts';
import { mustBelongTo, type OpenStores } from './stores.ts';

/** Is told how many threads a stage computes with, while it does. */
export interface ThreadUse {
  /** Runs `work` as soon as it may; `alone`: as soon as nothing else runs, and nothing else until it has ended. */
  hold<T>(threads: number, work: () => Promise<T>, how?: HoldOptions): Promise<T>;
  /** No other stage is taken before `isOver`, which is asked now and then. */
  rest(isOver: () => Promise<boolean>): void;
}

export interface HoldOptions {
  readonly alone?: boolean;
  /** Ends the wait, with its reason. */
  readonly signal?: AbortSignal;
  /** Is told that it has to wait, and for what. */
  readonly onWait?: (why: string) => void;
}

/** What stages share on this machine. */
export interface SharedHardware {
  readonly gpus: GpuPool;
  readonly threads: ThreadUse;
}

/** What who watches has to say to the stage. */
export interface Watching {
  /** The span that a compute process is a part of, in the form of the W3C. */
  readonly trace?: string;
  /** Is told what was done in a compute process. */
  readonly onAccount?: (account: StageAccount) => void;
}

/** What goes on while a stage runs. */
export interface StageWatch extends Watching {
  readonly heartbeats: Heartbeats;
  /** Stops the stage. */
  readonly signal: AbortSignal;
  /** Called when the stage has left its compute process, and only its record is to be written. */
  readonly onComputed?: () => void;
}

/**
 * Finds the key of a stage's step, takes what an equal step left in the store, or computes it in a compute process and records it. All that it needs to
 * go on after a kill is in the store, so any worker may take over. Throws what the stage threw, or the reason of `signal`.
 */
export type RunStage = (task: StageTask, watch: StageWatch) => Promise<StageOutcome>;

export function createStageRunner(openStore: OpenStores, hardware: SharedHardware): RunStage {
  const flights = new SingleFlight();
  const run: RunStage = async (task, watch) => {
    const store = await openStore(task.storeUri);
    const { step, request } = await identify(task, hardware.gpus.size);
    return await flights.run(`${store.uri}\n${step.key}`, watch.signal, async () => {
      const found = await findStep(store, step.key, task.stage.outputs);
      if (found?.damage.length === 0) {
        const notes = gpuNotes(task.stage.resources.gpu, hardware.gpus);
        return outcome(found.record, { reused: true, seconds: 0, notes });
      }
      const computation = { task, store, step, request, ...hardware, ...watch };
      return await computeStep(computation, damageNotes(found));
    });
  };
  return (task, watch) =>
    run(task, watch).catch(async (error: unknown) => {
      if (watch.signal.aborted) throw error;
      const blamed = await blameRoom(error, task.storeUri);
      if (blamed instanceof NoRoomError) {
        console.warn(`${blamed.message}\n  ${blamed.cure}`);
        hardware.threads.rest(() => hasRoom(blamed.folders));
      }
      throw blamed;
    });
}

/** The activity that runs one stage of one cell. */
export function createRunStage(
  runStage: RunStage,
  stop: AbortSignal,
): (task: StageTask) => Promise<StageOutcome> {
  return async (task) => {
    try {
      mustBelongTo(workflowIdOf(task.studyId, task.cellId), workflowIdOf(task.studyId));
      const stage = checkedName('stage name', task.stage.name);
      return await withHeartbeats(stop, (heartbeats, signal) => {
        heartbeats.begin(stage);
        return runStage(task, { heartbeats, signal });
      });
    } catch (error) {
      throw toStageFailure(error);
    }
  };
}

async function identify({ stage, available, baseDirectory, storeUri }: StageTask, gpus: number) {
  mustComputeAsPlanned(stage);
  const { resources } = stage;
  const resolved = resolveWith(stage, available);
  const sources = await outsideDigests(stage.uses, resolved.with, baseDirectory);
  const step = stepOfStage(stage, resolved, sources, deviceOf(resources, gpus));
  const { uses, key, inputs } = step;
  const { threads } = resources;
  const request: ComputeRequest = {
    ...{ uses, key, inputs, with: resolved.with },
    ...{ storeUri, threads, baseDirectory },
  };
  return { step, request };
}

interface Computation extends SharedHardware, StageWatch {
  readonly task: StageTask;
  readonly store: Store;
  readonly step: Step;
  readonly request: ComputeRequest;
}

async function computeStep(computation: Computation, damage: readonly string[]): Promise<StageOutcome> {
  const { task, store, step, gpus } = computation;
  const { stage } = task;
  const continued = (await store.checkpoint(step.key).list()).length > 0;
  const startedAt = new Date();
  const result = await computeOnDevice(computation).catch((error: unknown) => {
    throw error instanceof OutOfMemoryError ? withCure(error, stage) : error;
  });
  computation.onComputed?.();
  const missing = Object.keys(stage.outputs).filter((name) => result.outputs[name] === undefined);
  if (missing.length > 0)
    throw new Error(`Stage kind ${stage.uses} did not return its output ${missing.join(', ')}.`);
  const record = await recordStep(store, step, result, startedAt);
  const notes = [...damage, ...gpuNotes(stage.resources.gpu, gpus)];
  const { seconds } = record.provenance;
  return outcome(record, { reused: false, seconds, ...(continued ? { continued } : {}), notes });
}

function computeOnDevice({
  task,
  request,
  gpus,
  threads,
  heartbeats,
  signal,
  trace,
  onAccount,
}: Computation): Promise<ComputeResult> {
  const { timeoutMs, resources } = task.stage;
  const { alone = false } = task;
  const options = { signal, timeoutMs, alone, onProgress: heartbeats.report.bind(heartbeats), onAccount };
  const traced = trace === undefined ? request : { ...request, trace };
  const run = (gpu?: string) =>
    threads.hold(
      resources.threads,
      () => compute(traced, gpu === undefined ? options : { ...options, gpu }),
      { alone, signal, onWait: (message) => heartbeats.report({ done: 0, total: 0, unit: '', message }) },
    );
  if (resources.gpu === 0 || gpus.size === 0) return run();
  return gpus.lend(resources.gpu, signal, async (lent) => {
    const result = await run(lent.map(({ name }) => name).join());
    const { backend } = result;
    return backend.device === 'gpu'
      ? { ...result, backend: { ...backend, gpu: describeGpus(lent) } }
      : result;
  });
}

/** What may help a stage that runs out of memory alone too. */
function withCure(error: OutOfMemoryError, { with: { memory } }: StageTask['stage']): Error {
  const smaller =
    memory === undefined ? '' : `Lower its setting \`memory\` (now ${JSON.stringify(memory)}), or `;
  const cure =
    `${smaller === '' ? 'Have' : `${smaller}have`} it run on a machine with more memory (\`resources: { queue: NAME }\`). ` +
    'Where other programs take the memory, fewer stages at the same time may do: `strategy.maxParallel`, `--concurrency`.';
  return Object.assign(error, { cure });
}

/** What the user is told of a stage that asked for more GPUs than it got, whether it computed or an earlier result was taken. */
function gpuNotes(wanted: number, { size, why }: GpuPool): string[] {
  if (wanted <= size) return [];
  const none = why === undefined ? 'none' : `none that TensorFlow can use (${why})`;
  const got = size === 0 ? `${none}, so the stage computed on the CPU` : `${size}`;
  return [`${wanted} GPU${wanted === 1 ? ' was' : 's were'} asked for; this machine has ${got}.`];
}
