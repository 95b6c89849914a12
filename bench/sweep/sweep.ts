import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { readSetupStamp } from '../../runtime/setup-stamp.ts';
import { machineOf } from '../results/machine.ts';
import { compareSweep, type SweepComparison } from './compare-sweep.ts';
import { longRun } from './long-run.ts';
import { type Conditions, writeSweep } from './page/page.ts';
import { inTheMiddle } from './running/rate.ts';
import type { Work } from './sides.ts';

export interface SweepPart {
  readonly python: string;
  /** Processes that compute at once. */
  readonly workers: number;
  /** Of large float32 matrices, to tell the machine by. */
  readonly matrixRate: number;
  /** Trivial stages and small cells of the comparison. */
  readonly counts: Readonly<Record<Work, number>>;
  readonly rounds: number;
  readonly sides: readonly string[];
  /** Only Epochal, with so many trivial cells. */
  readonly long: number | undefined;
  /** Where the results go. */
  readonly out: string;
}

const works: readonly Work[] = ['trivial', 'cells'];

/** The part `sweep`: what a user would pick instead, side by side; or one long run of Epochal. */
export async function sweep(part: SweepPart, say: (line: string) => void): Promise<void> {
  const { python, workers, matrixRate, counts, rounds, sides, long, out } = part;
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-sweep-'));
  say(`the sweep's runs are in ${folder}`);
  const loadBefore = loadavg()[0]!;
  const versions = await versionsOf(python);
  const conditions = (): Conditions => ({
    date: new Date().toISOString().slice(0, 10),
    machine: machineOf(workers, matrixRate),
    loadBefore,
    versions,
  });
  mkdirSync(out, { recursive: true });
  if (long !== undefined) {
    say(`${long} trivial cells`);
    const run = await longRun(long, folder);
    say(`  ${run.seconds.toFixed(0)} s, ${inTheMiddle(run.middleRate)}`);
    await writeSweep(out, { ...conditions(), run });
  } else {
    const comparisons: SweepComparison[] = [];
    for (const work of works) {
      if (counts[work] === 0) continue;
      say(work === 'trivial' ? `${counts[work]} trivial stages` : `${counts[work]} small cells`);
      comparisons.push(
        await compareSweep(work, counts[work], { folder, python, workers, rounds, sides }, say),
      );
    }
    await writeSweep(out, { ...conditions(), comparisons });
  }
  rmSync(folder, { recursive: true, force: true });
}

/** What takes part, and its version. */
async function versionsOf(python: string): Promise<Record<string, string>> {
  const packages = ['snakemake', 'ray', 'torch', 'scipy', 'numpy'];
  const program =
    'import json, platform, sys; from importlib.metadata import version; ' +
    "print(json.dumps({name: version(name) for name in sys.argv[1:]} | {'Python': platform.python_version()}))";
  const { stdout } = await promisify(execFile)(python, ['-c', program, ...packages]);
  const temporal = readSetupStamp().temporal?.version;
  return {
    ...(JSON.parse(stdout) as Record<string, string>),
    Node: process.version,
    ...(temporal === undefined ? {} : { 'Temporal CLI': temporal }),
  };
}
