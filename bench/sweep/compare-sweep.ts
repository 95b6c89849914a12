import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { type ArtifactFile, artifactsOf, type StatusAnswer } from './running/epochal.ts';
import { inTheMiddle, middleRate } from './running/rate.ts';
import { runCommand } from './running/run-command.ts';
import { StatusAsker } from './running/status-asker.ts';
import { type SideTask, type SweepSide, seedsOf, stagesOf, sweepSides, type Work } from './sides.ts';

/** One run of a side. */
export interface SideRun {
  /** From the start of its program to its end. */
  readonly seconds: number;
  /** Seeds in a second, without start and end, by all their stages. Absent for less than ten of these. */
  readonly middleRate?: number;
  readonly processorSeconds: number;
  readonly peakBytes: number;
}

export interface SweepEntry {
  readonly side: string;
  readonly count: number;
  readonly runs: readonly SideRun[];
  /** Largest deviation from Epochal's result over all seeds, by quantity; of bytes the share that is not equal. */
  readonly deviations?: Readonly<Record<string, number>>;
  readonly refused?: string;
  /** Of Epochal: each `epochal status` that was asked meanwhile. */
  readonly statuses?: readonly StatusAnswer[];
}

export interface SweepComparison {
  readonly work: Work;
  readonly count: number;
  readonly entries: readonly SweepEntry[];
}

export interface SweepOptions {
  readonly folder: string;
  readonly python: string;
  readonly workers: number;
  readonly rounds: number;
  readonly sides: readonly string[];
}

/**
 * Largest deviations of results that are taken for the same, by the quantities of peers/check.py. What is not here, all of trivial stages, must be equal to
 * the byte. In the cells, rounding in float32 mixes eigenvectors whose eigenvalues lie close, and so the variances along them.
 */
const tolerances: Readonly<Record<string, number>> = {
  'training loss': 1e-5,
  eigenvalues: 1e-5,
  residuals: 1e-4,
  'weight variances': 1e-3,
  'velocity variances': 1e-3,
  'loss fluctuation': 1e-3,
};

/** Seconds after which a side is not asked again. */
const budget = 90;
/** What each side does first, not counted, so that none is the first to read its libraries from the disk. */
const warmUp = 2;
const statusEveryMs = 10_000;

/** Runs all sides in turns, Epochal first; a side whose results are not Epochal's is refused, whatever its time. Throws if Epochal fails. */
export async function compareSweep(
  work: Work,
  count: number,
  { folder, python, workers, rounds, sides }: SweepOptions,
  say: (line: string) => void,
): Promise<SweepComparison> {
  const entries = sweepSides
    .filter(({ name, does }) => (name === 'epochal' || sides.includes(name)) && does.includes(work))
    .map((side) => ({ side, count: seedsOf(side, work, count), runs: [] as SideRun[], refused: '' }));
  const found = new Map<string, Record<string, number>>();
  const statuses: StatusAnswer[] = [];
  let artifacts: readonly ArtifactFile[] = [];
  const once = async (entry: (typeof entries)[number], round: number): Promise<void> => {
    const { side, runs } = entry;
    const { name } = side;
    const task = {
      ...{ work, python, workers, count: round === 0 ? warmUp : entry.count },
      folder: path.join(folder, `${work}-${name}-${round}`),
    };
    mkdirSync(task.folder);
    const run = await runSide(side, task, round > 0 && name === 'epochal' ? statuses : undefined);
    if (round === 0) return;
    if (name === 'epochal') artifacts = await artifactsOf(task.folder);
    else if (side.limit === undefined) {
      const deviations = await deviationsOf(task, artifacts);
      found.set(name, deviations);
      const refusal = refusalOf(deviations);
      if (refusal !== undefined) throw new Error(refusal);
    }
    runs.push(run);
    say(`  ${name}: ${task.count} in ${run.seconds.toFixed(1)} s, ${inTheMiddle(run.middleRate)}`);
  };
  for (let round = 0; round <= rounds; round++) {
    for (const entry of entries) {
      const spent = entry.runs.reduce((sum, { seconds }) => sum + seconds, 0);
      if (entry.refused !== '' || spent > budget) continue;
      try {
        await once(entry, round);
      } catch (error) {
        if (entry.side.name === 'epochal') throw error;
        entry.refused = (error as Error).message;
        say(`  ${entry.side.name}: refused: ${entry.refused}`);
      }
    }
  }
  return {
    work,
    count,
    entries: entries.map(({ side: { name }, refused, ...entry }): SweepEntry => {
      const deviations = found.get(name);
      return {
        ...{ side: name, ...entry },
        ...(deviations === undefined ? {} : { deviations }),
        ...(refused === '' ? {} : { refused }),
        ...(name === 'epochal' ? { statuses } : {}),
      };
    }),
  };
}

/** Runs a side to its end; asks for Epochal's status meanwhile where there is a list for it. */
async function runSide(side: SweepSide, task: SideTask, statuses?: StatusAnswer[]): Promise<SideRun> {
  const asker = statuses === undefined ? undefined : new StatusAsker(task.folder, statusEveryMs);
  const ending = await runCommand(side.command(task), task.folder).finally(() => asker?.stop());
  if (asker !== undefined) statuses!.push(...(await asker.stop()));
  const ends = side.ends(task);
  const stages = stagesOf[task.work];
  const expected = stages * task.count;
  if (ends.length !== expected) throw new Error(`${ends.length} of ${expected} results are there`);
  const { started, ended, processorSeconds, peakBytes } = ending;
  const rate = middleRate(ends);
  return {
    ...{ seconds: ended - started, processorSeconds, peakBytes },
    ...(rate === undefined ? {} : { middleRate: rate / stages }),
  };
}

async function deviationsOf(
  { work, count, folder, python }: SideTask,
  artifacts: readonly ArtifactFile[],
): Promise<Record<string, number>> {
  const file = path.join(folder, 'check.json');
  writeFileSync(file, JSON.stringify({ work, count, folder, artifacts }));
  const script = path.join(import.meta.dirname, 'peers', 'check.py');
  const { stdout } = await promisify(execFile)(python, [script, file]);
  return JSON.parse(stdout) as Record<string, number>;
}

/** Why a result is not taken for Epochal's; undefined if it is. */
export function refusalOf(deviations: Readonly<Record<string, number>>): string | undefined {
  const off = Object.entries(deviations).find(([name, value]) => !(value <= (tolerances[name] ?? 0)));
  return off === undefined ? undefined : `${off[0]}: off by ${off[1].toExponential(1)}`;
}

/** The quantity that deviates most, and by how much. */
export function worstOf(deviations: Readonly<Record<string, number>>): [string, number] {
  return Object.entries(deviations).reduce((a, b) => (b[1] > a[1] ? b : a));
}
