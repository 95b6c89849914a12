import path from 'node:path';
import type { Command } from 'commander';
import { EnvironmentError, InputError } from '../../artifacts/errors.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Home } from '../../runtime/home.ts';
import type { StudyHandle, StudyRecord } from '../../runtime/study/client.ts';
import {
  listStudies,
  readPlan,
  resolveStudy,
  resolveStudyId,
  unlessDamaged,
} from '../checks/study-records.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput } from '../output/output.ts';
import { awaitedVersion } from '../progress/awaited-version.ts';
import { examineBriefly, examineStudy, type ListedStudy } from '../progress/study-status.ts';
import { formatStatus, formatStudies, shownCells } from '../progress/study-view.ts';
import { watchStudy } from '../run/watch-study.ts';
import { type Connected, connectTo, findServer, placeOfServer } from './server-connection.ts';
import {
  addPlaceOptions,
  addServerOptions,
  handled,
  openPlace,
  type PlaceOptions,
  type ServerOptions,
  serverFlags,
} from './shared.ts';

interface StudyOptions extends PlaceOptions, ServerOptions {
  readonly json?: boolean;
}

/** When `status` wants to have heard of running cells, in milliseconds after its start: the whole takes less than a second on a busy machine too. */
const heardAfterMs = 700;
/** What they are given in any case, and what they are given at most. */
const leastAnswerMs = 100;
const mostAnswerMs = 500;

function answerTime(): number {
  return Math.min(mostAnswerMs, Math.max(leastAnswerMs, heardAfterMs - performance.now()));
}

/** `status`, `list`, `pause`, `resume`, `cancel`, `retry`, `report`: what can be done with a launched study. What only one of them needs is loaded when it runs. */
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
        const record = await resolveStudy(store, wanted);
        const server = await findServer(home, options);
        try {
          const study = await findOn(server, storeUri, record.studyId);
          const watched = options.watch && study !== undefined;
          const code = watched
            ? await watchStudy(study, await cellsOf(store, record), output)
            : exitCode.done;
          if (watched && (!options.json || code === exitCode.interrupted)) return code;
          const status = await examineStudy(store, record, study, {
            ...(options.json ? {} : { most: shownCells }),
            limitMs: answerTime(),
          });
          if (options.json) output.result(status);
          else {
            output.line(formatStatus(status, { columns: output.columns, now: new Date() }));
            if (status.status === 'not finished') {
              const silent = study?.attached
                ? 'No worker answers for it: start one with `epochal worker`.'
                : 'It is not running; `epochal run` or `epochal retry` goes on.';
              const flags = serverFlags(options);
              output.line(`  ${awaitedVersion(status.studyId, status.version, flags) ?? silent}`);
            }
          }
          return code;
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
        const { home, store, storeUri } = await openPlace(options);
        const server = await findServer(home, options);
        const studies: ListedStudy[] = [];
        const { studies: records, damaged } = await listStudies(store);
        for (const record of records) {
          const study = await findOn(server, storeUri, record.studyId);
          const brief = await unlessDamaged(examineBriefly(store, record, study), () =>
            damaged.push(record.studyId),
          );
          if (brief === undefined) continue;
          const { status, cells, counts } = brief;
          studies.push({ ...record, status, cells, counts });
        }
        await server?.connection.close();
        for (const studyId of damaged)
          output.warn(`${studyId}: a record of it is damaged; \`epochal verify ${studyId}\` says which.`);
        if (options.json) output.result(studies);
        else if (studies.length === 0)
          output.line(`There are no studies in ${store.uri}. Start one with \`epochal run FILE\`.`);
        else output.line(formatStudies(studies, { columns: output.columns, now: new Date() }));
        return exitCode.done;
      }),
    );

  const control = (name: 'pause' | 'resume', description: string, said: string): void => {
    command(`${name} [study]`, description).action(
      handled(async (wanted: string | undefined, options: StudyOptions) => {
        const { home, store, storeUri } = await openPlace(options);
        const studyId = await resolveStudyId(store, wanted);
        const server = await findServer(home, options);
        if (server === undefined) throw serverIsDown(home);
        const { findStudy } = await import('../../runtime/study/client.ts');
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
      const studyId = await resolveStudyId(store, wanted);
      // A workflow is cancelled by a worker. If none can be there, because the server is down, both are started for it.
      const server = await findServer(home, options);
      const { startRuntime } = await import('../../runtime/workers/supervisor.ts');
      const { findStudy } = await import('../../runtime/study/client.ts');
      const runtime = server === undefined ? await startRuntime({ home, onEvent: output.warn }) : undefined;
      const connected = server ?? (await connectTo(home, runtime!.place));
      try {
        const study = await findStudy(connected.client, storeUri, studyId);
        const version = study.attached ? await study.version() : undefined;
        if (version !== undefined && !version.served && !version.replayable) {
          // Nobody is left who could cancel it.
          await study.endAtOnce('It was given up.');
          output.line(`${studyId} is given up: no worker could go on with it. What was done is kept.`);
          return exitCode.done;
        }
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
        if (baseDirectory === undefined)
          throw new InputError(
            `${studyId} was exported: where its pipeline and data lay is not known here.`,
            'Run the pipeline file; what is in the store is reused.',
          );
        const place = await placeOfServer(options);
        const plan = await readPlan(store, studyId);
        // Elsewhere there may be a worker of the version that made it.
        if (place === undefined) (await import('../run/kind-versions.ts')).mustComputePlan(plan, studyId);
        const { launch } = await import('../run/launch.ts');
        return launch({
          plan,
          baseDirectory,
          home,
          storeUri,
          ...(place === undefined ? {} : { place, placeFlags: serverFlags(options) }),
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
        const studyId = await resolveStudyId(store, wanted);
        const outDirectory = path.resolve(options.out ?? path.join(home.folder, 'reports', studyId));
        const { writeReport } = await import('../../report/write-report.ts');
        const written = await writeReport({ store, studyId, outDirectory });
        if (options.json) output.result(written);
        else output.line(written.html);
        return exitCode.done;
      }),
    );
}

async function cellsOf(store: Store, { studyId, cells }: StudyRecord): Promise<number> {
  return cells ?? (await readPlan(store, studyId)).cells.length;
}

/** The study as the server knows it; undefined if it does not, or there is no server. */
async function findOn(
  server: Connected | undefined,
  storeUri: string,
  studyId: string,
): Promise<StudyHandle | undefined> {
  if (server === undefined) return undefined;
  const { findStudy } = await import('../../runtime/study/client.ts');
  return await findStudy(server.client, storeUri, studyId).catch(() => undefined);
}

function serverIsDown(home: Home): EnvironmentError {
  return new EnvironmentError(
    `The Temporal server of ${home.folder} is not running, so no study is.`,
    'Go on with `epochal run` or `epochal retry`, or name a server with --address.',
  );
}
