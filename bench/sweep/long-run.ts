import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { epochalRun, type Histories, historiesOf, type StatusAnswer, stepTimes } from './running/epochal.ts';
import type { ProcessState } from './running/process-tree.ts';
import { middleRate } from './running/rate.ts';
import { runCommand } from './running/run-command.ts';
import { StatusAsker } from './running/status-asker.ts';

/** The processes of a run whose memory is told. */
export const roles = ['server', 'worker', 'CLI'] as const;
export type Role = (typeof roles)[number];

/** Resident memory at one moment. */
export interface MemorySample {
  /** Seconds since the start. */
  readonly at: number;
  /** Cells whose stage was recorded. */
  readonly cells: number;
  readonly bytes: Readonly<Record<Role, number>>;
}

/** Epochal alone with many trivial cells. */
export interface LongRun {
  readonly cells: number;
  readonly seconds: number;
  readonly middleRate: number | undefined;
  readonly processorSeconds: number;
  readonly memory: readonly MemorySample[];
  readonly statuses: readonly StatusAnswer[];
  readonly histories: Histories;
}

const statusEveryMs = 5_000;
/** Samples that are kept; more would only make the file long. */
const keptSamples = 400;

/** Runs so many trivial cells and watches memory and status meanwhile, and Temporal's histories afterwards. */
export async function longRun(cells: number, parent: string): Promise<LongRun> {
  const folder = path.join(parent, 'long-run');
  mkdirSync(folder);
  const samples: { at: number; bytes: Record<Role, number> }[] = [];
  const asker = new StatusAsker(folder, statusEveryMs);
  const { started, ended, processorSeconds } = await runCommand(
    epochalRun('trivial', cells, folder),
    folder,
    (processes) => samples.push({ at: Date.now() / 1000, bytes: memoryOf(processes) }),
  ).finally(() => asker.stop());
  const statuses = await asker.stop();
  const ends = stepTimes(folder, (uses) => uses === 'dataset').sort((a, b) => a - b);
  if (ends.length !== cells) throw new Error(`${ends.length} of ${cells} stages are recorded`);
  const every = Math.ceil(samples.length / keptSamples);
  const memory = samples
    .filter((_, index) => index % every === 0)
    .map(({ at, bytes }) => ({ at: at - started, cells: ends.filter((end) => end <= at).length, bytes }));
  return {
    cells,
    seconds: ended - started,
    middleRate: middleRate(ends),
    processorSeconds,
    memory,
    statuses,
    histories: await historiesOf(folder),
  };
}

function memoryOf(processes: readonly ProcessState[]): Record<Role, number> {
  const bytes: Record<Role, number> = { server: 0, worker: 0, CLI: 0 };
  for (const process of processes) {
    const role = roleOf(process.command);
    if (role !== undefined) bytes[role] += process.bytes;
  }
  return bytes;
}

/** What a process of a run is, by its command line; undefined for compute processes and the server's guard. */
function roleOf(command: string): Role | undefined {
  if (command.includes('epochal-guard')) return undefined;
  if (command.includes(' server start-dev ')) return 'server';
  if (command.includes('worker-process')) return 'worker';
  return command.includes('epochal.mjs run ') ? 'CLI' : undefined;
}

/** What is told of the memory in a stretch of a run. */
export type Summary = 'mean' | 'most';

/** Memory of each role in a stretch of the run, from one share of its cells up to another; NaN without a sample there. */
export function memoryWithin(
  { memory, cells }: Pick<LongRun, 'memory' | 'cells'>,
  from: number,
  to: number,
  summary: Summary = 'mean',
): Record<Role, number> {
  const within = memory.filter((sample) => sample.cells >= from * cells && sample.cells < to * cells);
  const of = (role: Role): number => {
    const values = within.map(({ bytes }) => bytes[role]);
    if (values.length === 0) return Number.NaN;
    return summary === 'most'
      ? Math.max(...values)
      : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return { server: of('server'), worker: of('worker'), CLI: of('CLI') };
}
