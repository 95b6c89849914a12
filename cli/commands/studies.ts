import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import pc from 'picocolors';
import { EnvironmentError } from '../../artifacts/errors.ts';
import type { Store } from '../../artifacts/store.ts';
import { findStudy, type StudyHandle } from '../../runtime/client.ts';
import type { Home } from '../../runtime/home.ts';
import { startRuntime } from '../../runtime/supervisor.ts';
import { exitCode } from '../errors.ts';
import { plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { launch } from '../launch.ts';
import { createOutput, type Output, table } from '../output.ts';
import { createProgressView } from '../progress.ts';
import { findServer } from '../server-connection.ts';
import { listStudies, readCells, readPlan, readResult, resolveStudy } from '../study-records.ts';
import {
  addPlaceOptions,
  addServerOptions,
  handled,
  openPlace,
  type PlaceOptions,
  type ServerOptions,
} from './shared.ts';

interface StudyOptions extends PlaceOptions, ServerOptions {
  readonly json?: boolean;
}

/** `status`, `list`, `pause`, `resume`, `cancel`, `retry`, `report`: what can be done with a launched study. */
export function addStudyCommands(program: Command): void {
  const command = (usage: string, description: string): Command =>
    addServerOptions(addPlaceOptions(program.command(usage).description(description)));

  command('status [study]', 'how far a study is; default: the one launched last')
    .option('--watch', 'until it ends')
    .option('--json', 'as JSON on standard output')
    .action(
      handled(async (wanted: string | undefined, options: StudyOptions & { watch?: boolean }) => {
        const output = createOutput(options.json === true);
        const { home, store, storeUri } = await openPlace(options);
        const { studyId } = await resolveStudy(store, wanted);
        const server = await findServer(home, options);
        try {
          const study =
            server === undefined
              ? undefined
              : await findStudy(server.client, storeUri, studyId).catch(() => undefined);
          if (options.watch && study !== undefined) return await watch(study, output);
          return await tellStatus(store, studyId, study, output);
        } finally {
          await server?.connection.close();
        }
      }),
    );

  command('list', 'the studies in the store')
    .option('--json', 'as JSON on standard output')
    .action(
      handled(async (options: StudyOptions) => {
        const output = createOutput(options.json === true);
        const { store } = await openPlace(options);
        const studies = await listStudies(store);
        const rows = await Promise.all(
          studies.map(async (study) => ({
            ...study,
            status: (await readResult(store, study.studyId))?.status ?? 'not finished',
          })),
        );
        if (options.json) output.result(rows);
        else if (rows.length === 0)
          output.line(`There are no studies in ${store.uri}. Start one with \`epochal run FILE\`.`);
        else
          output.line(
            table(
              rows.map(({ studyId, status, startedAt }) => [studyId, status, startedAt]),
              ['study', 'status', 'launched'],
            ),
          );
        return exitCode.done;
      }),
    );

  const control = (name: 'pause' | 'resume', description: string, said: string): void => {
    command(`${name} [study]`, description).action(
      handled(async (wanted: string | undefined, options: StudyOptions) => {
        const { home, store, storeUri } = await openPlace(options);
        const { studyId } = await resolveStudy(store, wanted);
        const server = await findServer(home, options);
        if (server === undefined) throw serverIsDown(home);
        const study = await findStudy(server.client, storeUri, studyId);
        await study[name]();
        createOutput(false).line(`${studyId} ${said}`);
        await server.connection.close();
        return exitCode.done;
      }),
    );
  };
  control(
    'pause',
    'let running stages end and start no other',
    'is paused: running stages end, no other starts.',
  );
  control('resume', 'go on after a pause', 'goes on.');

  command('cancel [study]', 'give a study up; finished stages are kept').action(
    handled(async (wanted: string | undefined, options: StudyOptions) => {
      const output = createOutput(false);
      const { home, store, storeUri } = await openPlace(options);
      const { studyId } = await resolveStudy(store, wanted);
      // A workflow is cancelled by a worker. If none can be there, because the server is down, both are started for it.
      const server = await findServer(home, options);
      const runtime = server === undefined ? await startRuntime({ home, onEvent: output.warn }) : undefined;
      const connected = server ?? (await findServer(home, { address: runtime!.address }))!;
      try {
        const study = await findStudy(connected.client, storeUri, studyId);
        await study.cancel();
        const { status } = await study.result({ outageLimitMs: 10_000 });
        output.line(
          status === 'cancelled'
            ? `${studyId} is cancelled. What was done is kept.`
            : `${studyId} had ended already: ${status}.`,
        );
      } finally {
        await connected.connection.close();
        await runtime?.stop();
      }
      return exitCode.done;
    }),
  );

  command('retry [study]', 'launch a study again: failed cells run again, all else is reused')
    .option('--json', 'the result as JSON on standard output')
    .action(
      handled(async (wanted: string | undefined, options: StudyOptions) => {
        const { home, store, storeUri } = await openPlace(options);
        const { studyId, baseDirectory } = await resolveStudy(store, wanted);
        const { address, namespace } = options;
        return launch({
          plan: await readPlan(store, studyId),
          baseDirectory,
          home,
          storeUri,
          ...(address === undefined ? {} : { address }),
          ...(namespace === undefined ? {} : { namespace }),
          again: `npx epochal retry ${studyId}`,
          output: createOutput(options.json === true),
        });
      }),
    );

  addPlaceOptions(
    program.command('report [study]').description('write the report of a study, finished or not'),
  )
    .option('--out <dir>', 'folder of the report; default: reports/STUDY in the home')
    .option('--json', 'the paths as JSON on standard output')
    .action(
      handled(async (wanted: string | undefined, options: StudyOptions & { out?: string }) => {
        const output = createOutput(options.json === true);
        const { home, store } = await openPlace(options);
        const { studyId } = await resolveStudy(store, wanted);
        const outDirectory = path.resolve(options.out ?? path.join(home.folder, 'reports', studyId));
        const { writeReport } = await import('../../report/write-report.ts');
        const written = await writeReport({ store, studyId, outDirectory });
        if (options.json) output.result(written);
        else output.line(written.html);
        return exitCode.done;
      }),
    );
}

async function watch(study: StudyHandle, output: Output): Promise<number> {
  const view = createProgressView(output);
  const interruption = onInterrupt();
  const ended = study.result();
  for (;;) {
    await study
      .progress()
      .then(async (progress) => view.update(progress, await study.cells()))
      .catch(() => undefined);
    const now = await Promise.race([
      ended,
      interruption.requested.then(() => 'interrupted' as const),
      setTimeout(500),
    ]);
    if (now === undefined) continue;
    view.end();
    interruption.off();
    if (now === 'interrupted') return exitCode.interrupted;
    output.line(`${study.studyId}: ${now.status}`);
    return now.status === 'succeeded' ? exitCode.done : exitCode.failed;
  }
}

async function tellStatus(
  store: Store,
  studyId: string,
  study: StudyHandle | undefined,
  output: Output,
): Promise<number> {
  const plan = await readPlan(store, studyId);
  const progress = await study?.progress().catch(() => undefined);
  const cells =
    progress === undefined || progress.phase === 'done' ? [] : await study!.cells().catch(() => []);
  const result = await readResult(store, studyId);
  const ended = await readCells(store, plan, studyId);
  const running = progress !== undefined && progress.phase !== 'done';
  if (output.json) {
    output.result({
      studyId,
      running,
      cells: plan.cells.length,
      ended: ended.length,
      progress,
      live: cells,
      result,
    });
    return exitCode.done;
  }
  const state = running ? (progress.paused ? 'paused' : 'running') : (result?.status ?? 'not finished');
  output.line(`${pc.bold(studyId)}  ${state}, ${ended.length} of ${plural(plan.cells.length, 'cell')} ended`);
  if (study === undefined && result === undefined)
    output.line('  The server is not running; `epochal run` or `epochal retry` goes on.');
  for (const cell of cells) {
    const stages = cell.stages.map(({ name, status }) => `${name} ${status}`).join(', ');
    output.line(`  ${cell.cellId}: ${stages}`);
    for (const live of cell.live)
      output.line(
        `    ${live.stage} ${live.done}/${live.total} ${live.unit}${live.message === undefined ? '' : `, ${live.message}`}`,
      );
  }
  for (const { cellId, stage, message } of result?.failures ?? [])
    output.line(`  ${pc.red('failed')} ${cellId}, ${stage}: ${message}`);
  return exitCode.done;
}

function serverIsDown(home: Home): EnvironmentError {
  return new EnvironmentError(
    `The Temporal server of ${home.folder} is not running, so no study is.`,
    'Go on with `epochal run` or `epochal retry`, or name a server with --address.',
  );
}
