import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DamagedRecordError, EnvironmentError, InputError } from '../../artifacts/errors.ts';
import { writePin } from '../../artifacts/keeping/pins.ts';
import { awaitSweeps } from '../../artifacts/keeping/sweeps.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Home } from '../../runtime/home.ts';
import { collectGarbage } from '../../runtime/storage/gc.ts';
import { tallyOf, weigh } from '../../runtime/storage/usage.ts';
import { resolveStudyId } from '../checks/study-records.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput } from '../output/output.ts';
import { chooseStudyId } from '../storage/choose.ts';
import { formatCollected, formatTally, formatUsage } from '../storage/views.ts';
import { findServer, mayHaveServer } from './server-connection.ts';
import {
  addPlaceOptions,
  addServerOptions,
  handled,
  openPlace,
  type PlaceOptions,
  type ServerOptions,
} from './shared.ts';

interface StorageOptions extends PlaceOptions {
  readonly json?: boolean;
}

/** `du`, `gc`, `delete`, `pin`, `unpin`, `export`: what lies in a store, and what becomes of it. */
export function addStorageCommands(program: Command): void {
  const command = (usage: string, description: string): Command =>
    addPlaceOptions(program.command(usage).description(description)).option(
      '--json',
      'as JSON on standard output',
    );

  command('du', 'what lies in the store: its size by study and by kind').action(
    handled(async (options: StorageOptions) => {
      const output = createOutput(options.json === true);
      const { store } = await openPlace(options);
      const usage = await weigh(store);
      if (options.json) output.result(usage);
      else for (const line of formatUsage(usage, output)) output.line(line);
      return exitCode.done;
    }),
  );

  command('gc', 'remove what no study and no pin needs; safe while studies run')
    .option('--dry-run', 'remove nothing, say what would be removed')
    .option('--older-than <age>', 'only what was written longer ago: 30m, 12h, 7d', ageInMs)
    .action(
      handled(async (options: StorageOptions & { dryRun?: boolean; olderThan?: number }) => {
        const output = createOutput(options.json === true);
        const { store } = await openPlace(options);
        const { dryRun = false, olderThan: olderThanMs = 0 } = options;
        const collected = await collectGarbage(store, { dryRun, olderThanMs });
        const { freed, held, open } = collected;
        if (options.json)
          output.result({ dryRun, freed: tallyOf(freed), held: tallyOf(held), open, removed: freed });
        else for (const line of formatCollected(collected, dryRun)) output.line(line);
        return exitCode.done;
      }),
    );

  addServerOptions(
    command(
      'delete <study>',
      'remove the records of a study that has ended; `gc` then frees what only it needed',
    ),
  )
    .option('--gc', 'free at once what no study and no pin needs')
    .option('--force', 'also if it has not ended, and no server knows it any more')
    .action(
      handled(
        async (
          wanted: string,
          options: StorageOptions & ServerOptions & { gc?: boolean; force?: boolean },
        ) => {
          const output = createOutput(options.json === true);
          const { home, store, storeUri } = await openPlace(options);
          const studyId = await chooseStudyId(store, wanted);
          const { deleteStudy } = await import('../../runtime/storage/delete-study.ts');
          const records = await deleteStudy(store, studyId, {
            runs: () => isRunning(home, options, storeUri, studyId),
            forced: options.force === true,
          });
          const removed = tallyOf(records);
          output.line(`${studyId} is deleted: ${formatTally(removed)} of records.`);
          const dryRun = options.gc !== true;
          const collected = await collectGarbage(store, { dryRun }).catch((error: unknown) => {
            if (error instanceof DamagedRecordError && dryRun) return error;
            throw error;
          });
          if (collected instanceof DamagedRecordError) {
            output.warn(`What \`epochal gc\` would free is not known: ${collected.message}`);
            output.warn(`  ${collected.cure}`);
            if (options.json) output.result({ studyId, removed });
            return exitCode.done;
          }
          const freed = tallyOf(collected.freed);
          if (options.json) output.result({ studyId, removed, [dryRun ? 'unneeded' : 'freed']: freed });
          else if (!dryRun) for (const line of formatCollected(collected, false)) output.line(line);
          else if (freed.files > 0)
            output.line(`\`epochal gc\` frees what nothing needs now: ${formatTally(freed)}.`);
          return exitCode.done;
        },
      ),
    );

  command('pin <what>', 'keep a study, or an artifact and all that it was made from, whatever is deleted')
    .option('--note <text>', 'why, kept with the pin')
    .action(
      handled(async (wanted: string, options: StorageOptions & { note?: string }) => {
        const output = createOutput(options.json === true);
        const { store } = await openPlace(options);
        const what = await findPinnable(store, wanted);
        const note = options.note === undefined ? {} : { note: options.note };
        const pin = { ...what, pinnedAt: new Date().toISOString(), ...note };
        await writePin(store, pin);
        // One that was about to remove it when the pin was set has not seen it.
        await awaitSweeps(store);
        await findPinnable(store, what.id);
        if (options.json) output.result(pin);
        else output.line(`${what.of} ${what.id} is pinned.`);
        return exitCode.done;
      }),
    );

  command('unpin <what>', 'take a pin away').action(
    handled(async (wanted: string, options: StorageOptions) => {
      const output = createOutput(options.json === true);
      const { store } = await openPlace(options);
      if (wanted === '') throw new InputError('The name is empty.', '`epochal du` shows what is pinned.');
      const names = (await store.listFiles('pins')).map(({ name }) => name);
      const found = names.filter((name) => name.slice(name.lastIndexOf('/') + 1).startsWith(wanted));
      const [name] = found;
      if (name === undefined)
        throw new InputError(
          `There is no pin of ${wanted} in ${store.uri}.`,
          '`epochal du` shows what is pinned.',
        );
      if (found.length > 1)
        throw new InputError(`${wanted} is the beginning of ${found.length} pins.`, 'Give more of it.');
      await store.removeFile(name);
      const id = path.basename(name, '.json');
      const of = name.startsWith('pins/studies/') ? 'study' : 'artifact';
      if (options.json) output.result({ of, id });
      else output.line(`${of} ${id} is not pinned any more.`);
      return exitCode.done;
    }),
  );

  command('export <study> <dir>', 'all that a reader needs: report, tables, records and digests')
    .option('--with-tensors', 'also data sets, weights, trajectories and eigenvectors')
    .action(
      handled(async (wanted: string, dir: string, options: StorageOptions & { withTensors?: boolean }) => {
        const output = createOutput(options.json === true);
        const { store } = await openPlace(options);
        const studyId = await resolveStudyId(store, wanted);
        const folder = path.resolve(dir);
        const { exportStudy } = await import('../storage/export-study.ts');
        const { files, leftOut, withTensors } = await exportStudy(
          store,
          studyId,
          folder,
          options.withTensors === true,
        );
        const [written, left] = [files, leftOut].map((some) => ({
          files: some.length,
          bytes: some.reduce((sum, { bytes }) => sum + bytes, 0),
        })) as [{ files: number; bytes: number }, { files: number; bytes: number }];
        if (options.json) output.result({ studyId, folder, withTensors, written, leftOut: left });
        else {
          output.line(`${folder}: ${formatTally(written)}; manifest.json has their digests.`);
          if (left.files > 0)
            output.line(`  ${formatTally(left)} of tensors left out; --with-tensors takes them along.`);
        }
        return exitCode.done;
      }),
    );
}

/** Whether a server that can be asked says that a study runs; without one, none runs here. */
async function isRunning(
  home: Home,
  options: ServerOptions,
  storeUri: string,
  studyId: string,
): Promise<boolean> {
  const server = await findServer(home, options);
  if (server === undefined) {
    if (!(await mayHaveServer(home))) return false;
    throw new EnvironmentError(
      `The Temporal server of ${home.folder} does not answer, so it is not known whether ${studyId} runs.`,
      'Try again when it is less busy.',
    );
  }
  try {
    const { findStudy } = await import('../../runtime/study/client.ts');
    return (await findStudy(server.client, storeUri, studyId)).attached;
  } catch (error) {
    // It knows of no such study.
    if (error instanceof EnvironmentError) return false;
    throw error;
  } finally {
    await server.connection.close();
  }
}

/** A study by its id or the beginning of one, or an artifact by its digest, the beginning of one, or its file. */
async function findPinnable(
  store: Store,
  wanted: string,
): Promise<{ readonly of: 'study' | 'artifact'; readonly id: string }> {
  const studies = await store.listFolder('studies');
  if (wanted === '' || studies.some((id) => id.startsWith(wanted)))
    return { of: 'study', id: await chooseStudyId(store, wanted) };
  const { explain } = await import('../checks/lineage.ts');
  const { sha256, whole } = await explain(store, wanted);
  if (whole) return { of: 'artifact', id: sha256 };
  throw new InputError(
    `The artifact ${sha256.slice(0, 12)} is damaged or gone, so it is not pinned.`,
    'Run the pipeline that made it again.',
  );
}

/** Reads an age: a number and a unit. */
function ageInMs(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(s|m|h|d|w)$/.exec(text.trim()) ?? [];
  const units: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 };
  if (number === undefined || unit === undefined)
    throw new InvalidArgumentError('It must be a number with its unit: 90s, 30m, 12h, 7d or 2w.');
  return Number(number) * units[unit]!;
}
