import type { Connection } from '@temporalio/client';
import pc from 'picocolors';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Plan } from '../../compiler/index.ts';
import { plural } from '../../report/numbers.ts';
import type { Home } from '../../runtime/home.ts';
import { rememberStore } from '../../runtime/seal/served-stores.ts';
import type { ServerPlace } from '../../runtime/server/place.ts';
import {
  connect,
  createClient,
  type StudyHandle,
  startStudy,
  studyIdOf,
} from '../../runtime/study/client.ts';
import { listOpenStudies } from '../../runtime/study/open-studies.ts';
import { openTraces } from '../../runtime/watching/traces.ts';
import { ownQueuesOf } from '../../runtime/workers/queues.ts';
import { type LocalRuntime, startRuntime } from '../../runtime/workers/supervisor.ts';
import type { StudyResult } from '../../workflows/messages.ts';
import { exitCode, tellError } from '../output/errors.ts';
import type { Output } from '../output/output.ts';
import { tellAwaitedVersion } from '../progress/awaited-version.ts';
import { formatOpenStudies } from '../progress/open-studies.ts';
import { showProgress } from '../progress/progress.ts';
import { createProgressView, type ProgressView } from '../progress/progress-view.ts';
import { conclude } from './conclude.ts';
import { type Interruption, onInterrupt } from './interrupt.ts';
import { describeRaisedKinds } from './kind-versions.ts';
import { type Parallel, parallelOf } from './parallel.ts';

export interface LaunchOptions {
  readonly plan: Plan;
  readonly baseDirectory: string;
  readonly home: Home;
  readonly storeUri: string;
  /** A server of the user's own. */
  readonly place?: ServerPlace;
  /** The options that name it, for commands that are shown: each with a space before it. */
  readonly placeFlags?: string;
  /** Start a worker although the server is not ours. */
  readonly worker?: boolean;
  /** Stages of one thread at the same time; default: as many as this machine is fit for. */
  readonly concurrency?: number;
  /** 1 (first) to 5 (last), among studies that share workers. */
  readonly priority?: number;
  /** Return as soon as the study is launched. */
  readonly detach?: boolean;
  readonly reportDirectory?: string;
  /** How the user launches this study again. */
  readonly again: string;
  readonly output: Output;
}

/** How long a study with a server elsewhere waits for it to come back. */
const outageLimitMs = 60_000;

/** Launches a plan, shows its progress, writes its report. Gives the exit code. */
export async function launch(options: LaunchOptions): Promise<number> {
  const { output, home, place, plan, storeUri, baseDirectory } = options;
  // One that is too large is refused before anything starts.
  const studyId = studyIdOf(plan);
  const store = await openStore(storeUri);
  await rememberStore(home, storeUri);
  const view = createProgressView(output, plan.cells.length);
  const interruption = onInterrupt(() => view.line(interruptLine(options)));
  const parallel = parallelOf(plan, {
    slots: options.concurrency,
    worker: options.worker ?? place === undefined,
  });
  const queues = ownQueuesOf(plan);
  let runtime: LocalRuntime | undefined;
  let connection: Connection | undefined;
  const traces = await openTraces('client', (text) => output.warn(text));
  try {
    runtime = await startRuntime({
      home,
      place,
      ...(options.worker === undefined ? {} : { worker: options.worker }),
      concurrency: parallel.slots,
      queues,
      onEvent: (line) => view.line(line),
    });
    if (interruption.happened) return stoppedEarly(view);
    connection = await connect(runtime.place);
    const client = createClient(home, connection, runtime.place, traces && [traces.client]);
    const raised = await describeRaisedKinds(store, plan, studyId).catch(() => undefined);
    const study = await startStudy({
      ...{ client, plan, storeUri, baseDirectory, maxParallel: parallel.cells },
      ...(options.priority === undefined ? {} : { priority: options.priority }),
    });
    introduce(options, runtime, study, parallel);
    if (raised !== undefined) output.line(`  ${raised}`);
    if (options.detach) {
      output.line(
        `\`npx epochal status ${study.studyId} --watch${options.placeFlags ?? ''}\` shows how far it is.`,
      );
      if (output.json) output.result({ studyId: study.studyId, status: 'running' });
      return exitCode.done;
    }
    const tellOthers = async (served: boolean): Promise<void> => {
      if (place !== undefined) return;
      const others = await listOpenStudies(client, study.studyId);
      for (const line of formatOpenStudies(others, served)) view.line(line);
    };
    const told = tellOthers(true).catch(() => undefined);
    const outcome = await follow(options, study, runtime, view, interruption);
    if (outcome === 'interrupted') {
      await interrupt(options, study, view);
      await tellOthers(await runtime.isShared()).catch(() => undefined);
      return exitCode.interrupted;
    }
    await told;
    view.end();
    const code = await conclude({
      ...options,
      store,
      result: outcome,
      seconds: (Date.now() - performance.timeOrigin) / 1000,
    });
    await tellOthers(await runtime.isShared()).catch(() => undefined);
    return code;
  } catch (error) {
    if (!interruption.happened) throw error;
    // What the same signal has ended, or what could not begin any more.
    tellError(error);
    return stoppedEarly(view);
  } finally {
    view.end();
    await connection?.close();
    await Promise.all([traces?.close(), runtime?.stop()]);
    interruption.off();
  }
}

function stoppedEarly(view: ProgressView): number {
  view.end();
  view.line('Stopped. Everything done so far is kept.');
  return exitCode.interrupted;
}

function interruptLine({ place }: LaunchOptions): string {
  return place === undefined
    ? 'Stopping; running stages keep their checkpoints. Ctrl-C once more ends at once.'
    : 'Leaving the study. Ctrl-C once more ends at once.';
}

/** Stops a study of the home's own server, so that no other run goes on with it; one elsewhere is left to its workers. */
async function interrupt(
  { place, placeFlags = '', again }: LaunchOptions,
  study: StudyHandle,
  view: ProgressView,
): Promise<void> {
  const { studyId } = study;
  if (place !== undefined) {
    view.end();
    view.line(`${studyId} goes on with the workers of ${place.address}.`);
    view.line(`  To see how far it is: npx epochal status ${studyId} --watch${placeFlags}`);
    view.line(`  To give it up: npx epochal cancel ${studyId}${placeFlags}`);
    return;
  }
  const stopped = await study.stop().then(
    () => true,
    () => false,
  );
  view.end();
  view.line(
    stopped
      ? 'Stopped. Everything done so far is kept, and nothing goes on by itself.'
      : 'Everything done so far is kept. The server could not be told to stop the study: the next run of this home goes on with it.',
  );
  view.line(`  To go on, run it again: ${again}\n  To give it up: npx epochal cancel ${studyId}`);
}

function introduce(
  { plan, home, storeUri, output }: LaunchOptions,
  runtime: LocalRuntime,
  study: StudyHandle,
  parallel: Parallel,
): void {
  const stages = plan.cells.reduce((sum, cell) => sum + cell.stages.length, 0) + plan.collect.length;
  output.line(
    `${pc.bold(study.studyId)}  ${plural(plan.cells.length, 'cell')}, ${plural(stages, 'stage')}${study.attached ? ', already running' : ''}`,
  );
  if (study.renewed)
    output.line('  begun anew, as another version of Epochal had begun it; its finished stages are kept');
  if (parallel.text !== '') output.line(`  at once ${parallel.text}`);
  const queues = ownQueuesOf(plan);
  if (queues.length > 0)
    output.line(
      `  queues  ${queues.join(', ')}${runtime.processes.worker === undefined ? '' : ', served here too'}`,
    );
  output.line(`  store   ${storeUri}`);
  output.line(
    `  server  ${runtime.place.address}${runtime.uiUrl === undefined ? '' : `, web UI ${runtime.uiUrl}`}`,
  );
  if (runtime.uiUrl !== undefined) output.line(`  logs    ${home.logs}`);
}

/** Shows the progress until the study has ended or the user interrupts. Throws if the server or the worker cannot be kept alive. */
async function follow(
  { placeFlags = '' }: LaunchOptions,
  study: StudyHandle,
  runtime: LocalRuntime,
  view: ProgressView,
  interruption: Interruption,
): Promise<StudyResult | 'interrupted'> {
  const progress = showProgress(study, view);
  const leaving = new AbortController();
  const { signal } = leaving;
  const ended = study.result(runtime.uiUrl === undefined ? { outageLimitMs, signal } : { signal });
  ended.catch(() => undefined);
  const waiting = tellAwaitedVersion(study, view, placeFlags, signal);
  try {
    const outcome = await Promise.race([
      ended,
      runtime.failed,
      interruption.requested.then(() => 'interrupted' as const),
    ]);
    if (outcome !== 'interrupted') await progress.ended();
    return outcome;
  } finally {
    leaving.abort();
    await Promise.allSettled([progress.stop(), ended, waiting]);
  }
}
