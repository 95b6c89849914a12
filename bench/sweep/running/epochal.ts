import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { findHome } from '../../../runtime/home.ts';
import { connect, createClient } from '../../../runtime/server/connection.ts';
import { startServer } from '../../../runtime/server/server.ts';
import type { Command } from './run-command.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const program = path.join(root, 'cli', 'epochal.mjs');
/** The home of a run in its folder. */
const homeOf = (folder: string) => path.join(folder, 'home');

/** `epochal run` as a user starts it, with a new home in `folder`, of a pipeline of the bench with so many cells. */
export function epochalRun(pipeline: 'trivial' | 'cells', cells: number, folder: string): Command {
  const file = path.join(import.meta.dirname, '..', 'pipelines', `${pipeline}.yaml`);
  return {
    program: process.execPath,
    args: [program, 'run', file, '--set', `cells=${cells}`, '--home', homeOf(folder)],
  };
}

/** Answers of another command of the program, as JSON. */
async function ask(args: readonly string[], folder: string): Promise<unknown> {
  const command = [program, ...args, '--home', homeOf(folder), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 30 });
  return JSON.parse(stdout);
}

/** An `epochal status` during a run. */
export interface StatusAnswer {
  /** Unix time at which it was asked. */
  readonly at: number;
  /** From its start as a program to its end. */
  readonly seconds: number;
  /** Cells that had ended. */
  readonly ended: number;
}

/** Asks for the status as a user does. Throws if there is no study yet, or none answers. */
export async function timeStatus(folder: string): Promise<StatusAnswer> {
  const at = Date.now() / 1000;
  const { ended } = (await ask(['status'], folder)) as { ended: number };
  return { at, seconds: Date.now() / 1000 - at, ended };
}

/** Whether the study of a run is launched. */
export function isLaunched(folder: string): boolean {
  const studies = path.join(homeOf(folder), 'store', 'studies');
  const names = existsSync(studies) ? readdirSync(studies) : [];
  return names.some((name) => existsSync(path.join(studies, name, 'study.json')));
}

export interface ArtifactFile {
  readonly cell: string;
  readonly stage: string;
  readonly output: string;
  readonly path: string;
}

/** What the study of a run has made. */
export async function artifactsOf(folder: string): Promise<readonly ArtifactFile[]> {
  return ((await ask(['artifacts'], folder)) as { artifacts: readonly ArtifactFile[] }).artifacts;
}

/** When the steps of the wanted kinds were recorded in the store, in Unix time. */
export function stepTimes(folder: string, isWanted: (uses: string) => boolean): number[] {
  const steps = path.join(homeOf(folder), 'store', 'steps');
  return readdirSync(steps, { recursive: true })
    .map((name) => path.join(steps, String(name)))
    .filter((file) => file.endsWith('.json'))
    .filter((file) => isWanted((JSON.parse(readFileSync(file, 'utf8')) as { uses: string }).uses))
    .map((file) => statSync(file).mtimeMs / 1000);
}

/** What Temporal keeps of a study that has ended. */
export interface Histories {
  /** Runs of workflows of each type; more than one of the study where its history was cut. */
  readonly runs: Readonly<Record<string, number>>;
  /** Events of the longest history of each type. */
  readonly longest: Readonly<Record<string, number>>;
  /** Size of the server's database. */
  readonly databaseBytes: number;
}

/** Starts the server of a home that is not in use, and counts. */
export async function historiesOf(folder: string): Promise<Histories> {
  const home = findHome(homeOf(folder));
  const databaseBytes = statSync(path.join(home.folder, 'temporal.db')).size;
  const server = await startServer({ home });
  const connection = await connect(server);
  try {
    const runs: Record<string, number> = {};
    const longest: Record<string, number> = {};
    for await (const { type, historyLength } of createClient(home, connection).workflow.list({
      pageSize: 1000,
    })) {
      runs[type] = (runs[type] ?? 0) + 1;
      longest[type] = Math.max(longest[type] ?? 0, historyLength);
    }
    return { runs, longest, databaseBytes };
  } finally {
    await connection.close();
    await server.stop();
  }
}
