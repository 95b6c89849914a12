import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pc from 'picocolors';
import { openStore } from '../artifacts/open-store.ts';
import type { Store } from '../artifacts/store.ts';
import type { Plan } from '../compiler/index.ts';
import { connect, createClient, type StudyHandle, startStudy } from '../runtime/client.ts';
import type { Home } from '../runtime/home.ts';
import { rememberStore } from '../runtime/served-stores.ts';
import { type LocalRuntime, startRuntime } from '../runtime/supervisor.ts';
import type { StudyResult } from '../workflows/messages.ts';
import { exitCode } from './errors.ts';
import { formatDuration, plural } from './format.ts';
import { type Interruption, onInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { createProgressView, type ProgressView } from './progress.ts';
import { readCells } from './study-records.ts';

export interface LaunchOptions {
  readonly plan: Plan;
  readonly baseDirectory: string;
  readonly home: Home;
  readonly storeUri: string;
  readonly address?: string;
  readonly namespace?: string;
  /** Start a worker although the server is not ours. */
  readonly worker?: boolean;
  readonly concurrency?: number;
  /** Return as soon as the study is launched. */
  readonly detach?: boolean;
  readonly reportDirectory?: string;
  /** How the user launches this study again. */
  readonly again: string;
  readonly output: Output;
}

const pollMs = 500;
/** How long a study with a server elsewhere waits for it to come back. */
const outageLimitMs = 60_000;

/** Launches a plan, shows its progress, writes its report. Gives the exit code. */
export async function launch(options: LaunchOptions): Promise<number> {
  const { output, home, address, namespace } = options;
  const store = await openStore(options.storeUri);
  await rememberStore(home, options.storeUri);
  const interruption = onInterrupt();
  const view = createProgressView(output);
  let runtime: LocalRuntime | undefined;
  try {
    runtime = await startRuntime({
      home,
      ...(address === undefined ? {} : { address }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(options.worker === undefined ? {} : { worker: options.worker }),
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
      onEvent: (line) => view.event(line),
    });
    const connection = await connect(runtime.address);
    const client = createClient(home, connection, runtime.namespace);
    const { plan, storeUri, baseDirectory } = options;
    const study = await startStudy({ client, plan, storeUri, baseDirectory });
    introduce(options, runtime, study);
    if (options.detach) {
      output.line(
        `\`npx epochal status ${study.studyId} --watch --address ${runtime.address}\` shows how far it is.`,
      );
      if (output.json) output.result({ studyId: study.studyId, status: 'running' });
      await connection.close();
      return exitCode.done;
    }
    const outcome = await follow(study, runtime, view, interruption);
    view.end();
    await connection.close();
    if (outcome === 'interrupted') {
      output.warn(`\nStopped. Everything done so far is kept.`);
      output.warn(
        `  To go on, run it again: ${options.again}\n  To give it up: npx epochal cancel ${study.studyId}`,
      );
      return exitCode.interrupted;
    }
    return await conclude(options, store, outcome);
  } finally {
    view.end();
    await runtime?.stop();
    interruption.off();
  }
}

function introduce(
  { plan, home, storeUri, output }: LaunchOptions,
  runtime: LocalRuntime,
  study: StudyHandle,
): void {
  const stages = plan.cells.reduce((sum, cell) => sum + cell.stages.length, 0) + plan.collect.length;
  output.line(
    `${pc.bold(study.studyId)}  ${plural(plan.cells.length, 'cell')}, ${plural(stages, 'stage')}${study.attached ? ', already running' : ''}`,
  );
  output.line(`  store  ${storeUri}`);
  output.line(`  server ${runtime.address}${runtime.uiUrl === undefined ? '' : `, web UI ${runtime.uiUrl}`}`);
  if (runtime.uiUrl !== undefined) output.line(`  logs   ${home.logs}`);
}

/** Shows the progress until the study has ended or the user interrupts. Throws if the server or the worker cannot be kept alive. */
async function follow(
  study: StudyHandle,
  runtime: LocalRuntime,
  view: ProgressView,
  interruption: Interruption,
): Promise<StudyResult | 'interrupted'> {
  const polling = new AbortController();
  const poll = async (): Promise<void> => {
    while (!polling.signal.aborted) {
      try {
        view.update(await study.progress(), await study.cells());
      } catch {
        // The server or the worker is away for a moment; the result tells if it stays away.
      }
      await setTimeout(pollMs, undefined, { signal: polling.signal }).catch(() => undefined);
    }
  };
  const polled = poll();
  const { signal } = polling;
  const ended = study.result(runtime.uiUrl === undefined ? { outageLimitMs, signal } : { signal });
  ended.catch(() => undefined);
  try {
    return await Promise.race([
      ended,
      runtime.failed,
      interruption.requested.then(() => 'interrupted' as const),
    ]);
  } finally {
    polling.abort();
    await Promise.race([polled, setTimeout(2000)]);
  }
}

async function conclude(options: LaunchOptions, store: Store, result: StudyResult): Promise<number> {
  const { output, plan, home } = options;
  const { studyId, counts, stagesRun, stagesReused } = result;
  const cells = await readCells(store, plan, studyId);
  const notes = new Set(
    cells.flatMap(({ stages }) =>
      Object.entries(stages).flatMap(([name, { notes }]) => notes.map((note) => `${name}: ${note}`)),
    ),
  );
  for (const note of [...notes].slice(0, 12)) output.line(`${pc.yellow('note')} ${note}`);
  if (notes.size > 12) output.line(`${pc.yellow('note')} ... and ${notes.size - 12} more, all in the report`);
  for (const { cellId, stage, message, cure } of result.failures) {
    output.warn(`${pc.red('error:')} ${plan.cells.length > 1 ? `${cellId}, ` : ''}${stage}: ${message}`);
    if (cure !== undefined) output.warn(`  ${cure}`);
  }
  const seconds = cells.reduce(
    (sum, { stages }) => sum + Object.values(stages).reduce((all, stage) => all + stage.seconds, 0),
    0,
  );
  const allReused = stagesRun === 0 && stagesReused > 0;
  const work = allReused
    ? `all ${plural(stagesReused, 'stage')} reused`
    : `${plural(stagesRun, 'stage')} run in ${formatDuration(seconds)}, ${stagesReused} reused`;
  output.line(
    `${pc.bold(result.status)}: ${counts.succeeded} of ${plural(plan.cells.length, 'cell')}, ${work}`,
  );
  let report: string | undefined;
  if (counts.succeeded > 0) {
    const outDirectory = options.reportDirectory ?? path.join(home.folder, 'reports', studyId);
    // Figures take a second to load, which other commands and the start of a study need not wait for.
    const { writeReport } = await import('../report/write-report.ts');
    report = (await writeReport({ store, studyId, outDirectory })).html;
    output.line(`report ${report}`);
  }
  if (output.json) output.result({ ...result, ...(report === undefined ? {} : { report }) });
  if (result.status === 'succeeded') return exitCode.done;
  const onlyInput = result.failures.length > 0 && result.failures.every(({ type }) => type === 'InputError');
  return onlyInput ? exitCode.wrongInput : exitCode.failed;
}
