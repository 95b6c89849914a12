/**
 * `npm run bench [PART ...]`: Epochal beside its peers, interleaved in one run. Parts are the tasks, `threads` and `sweep`; default: all. Options:
 * `--sides SIDE,...`, `--top-sides SIDE,...` (for the eigenpairs of `--top-examples`, which take longest), `--rounds N`, `--threads N`, `--examples N` and
 * `--top-examples N`, `--top N`, `--out FOLDER` (default docs/benchmarks); of the sweep `--stages N` (trivial stages), `--small-cells N`, `--sweep-sides SIDE,...`,
 * `--sweep-rounds N`, and `--cells N` for Epochal alone with so many trivial cells.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readSetupStamp } from '../runtime/setup-stamp.ts';
import { type Comparison, compare, median } from './compare.ts';
import { benchModel, type Problem, seed, writeProblem } from './problem/problem.ts';
import { machineOf } from './results/machine.ts';
import { writeResults } from './results/results.ts';
import { Side } from './sides/side.ts';
import { sweepSides } from './sweep/sides.ts';
import { sweep } from './sweep/sweep.ts';
import { sides, tasksOf } from './tasks.ts';
import { compareThreads, type ThreadsResult } from './threads/threads.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sides: { type: 'string' },
    'top-sides': { type: 'string' },
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '2' },
    examples: { type: 'string', default: '5000' },
    'top-examples': { type: 'string', default: '5000' },
    top: { type: 'string', default: '100' },
    stages: { type: 'string', default: '1000' },
    'small-cells': { type: 'string', default: '100' },
    'sweep-sides': { type: 'string' },
    'sweep-rounds': { type: 'string', default: '3' },
    cells: { type: 'string' },
    out: { type: 'string', default: path.join(import.meta.dirname, '..', 'docs', 'benchmarks') },
  },
});
const python = readSetupStamp().benchPython?.program;
if (python === undefined || !existsSync(python)) {
  console.error(
    'error: The Python of the peers is not installed.\n  Run `node runtime/setup/main.mjs --bench`.',
  );
  process.exit(2);
}
const number = (text: string) => Number(text);
const say = (line: string) => console.log(line);
const [examples, topExamples, top] = [
  number(options.examples),
  number(options['top-examples']),
  number(options.top),
];
const model = benchModel();
const problem: Problem = {
  examples,
  topExamples,
  top,
  tolerance: 1e-4,
  chunk: 500,
  steps50: Math.floor(examples / 50),
  steps500: Math.floor(examples / 500),
  momentum: 0.9,
  learningRate: 0.005,
  l2: 1e-4,
  rows: 250,
  repeat: 8,
  basis: 200,
};
const folder = mkdtempSync(path.join(tmpdir(), 'epochal-bench-'));
const sideOptions = { folder, threads: number(options.threads), python };
const tasks = tasksOf({
  rounds: number(options.rounds),
  examples,
  topExamples,
  top,
  tolerance: problem.tolerance,
  projected: problem.rows * problem.repeat,
  basis: problem.basis,
  size: model.size,
  onSpectrum: setArpackTolerance,
});
const parts = [...tasks.map(({ name }) => name), 'threads', 'sweep'];
const wanted = positionals.length > 0 ? positionals : parts;
const wantedTasks = tasks.filter(({ name }) => wanted.includes(name));
const wantedSides = options.sides?.split(',') ?? sides.map(({ name }) => name);
const topSides = options['top-sides']?.split(',') ?? wantedSides;
const wantedSweepSides = options['sweep-sides']?.split(',') ?? sweepSides.map(({ name }) => name);
const unknown = [
  ...wanted.filter((name) => !parts.includes(name)),
  ...[...wantedSides, ...topSides].filter((name) => !sides.some((side) => side.name === name)),
  ...wantedSweepSides.filter((name) => !sweepSides.some((side) => side.name === name)),
];
if (unknown.length > 0) {
  const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).join(', ');
  console.error(
    `error: ${unknown.join(', ')} is unknown.\n  Parts: ${parts.join(', ')}. Sides: ${namesOf(sides)}. Of the sweep: ${namesOf(sweepSides)}.`,
  );
  process.exit(2);
}

if (wantedTasks.length > 0) {
  say(`the problem is written to ${folder}`);
  writeProblem(folder, problem, model.initialize(seed));
}
const { side: first } = await Side.start(sides[0]!, sideOptions);
const { rate } = await first.ask({ rate: true });
await first.close();
say(`products of large float32 matrices: ${rate!.toFixed(0)} GFLOP/s on ${sideOptions.threads} threads`);

const comparisons: Comparison[] = [];
for (const task of wantedTasks) {
  say(`${task.title}`);
  const comparison = await compare(task, sideOptions, task.name === 'top' ? topSides : wantedSides, say);
  comparisons.push(comparison);
  for (const { side, times, refused } of comparison.entries) {
    if (times === undefined) say(`  ${side}: refused: ${refused}`);
    else
      say(
        `  ${side}: ${median(times).toPrecision(3)} ${task.unit} (${Math.min(...times).toPrecision(3)}-${Math.max(...times).toPrecision(3)})`,
      );
  }
}
let threads: ThreadsResult | undefined;
if (wanted.includes('threads')) {
  threads = await compareThreads(sideOptions.threads);
  say(
    `${threads.trainings} trainings: ${threads.oneThreadEach.toFixed(1)} s with one thread each, ${threads.allThreadsEach.toFixed(1)} s with all threads each`,
  );
}
if (comparisons.length > 0 || threads !== undefined) {
  mkdirSync(options.out, { recursive: true });
  const machine = machineOf(sideOptions.threads, rate!);
  await writeResults(options.out, { comparisons, threads, problem, machine });
}
if (wanted.includes('sweep'))
  await sweep(
    {
      python,
      workers: sideOptions.threads,
      matrixRate: rate!,
      counts: { trivial: number(options.stages), cells: number(options['small-cells']) },
      rounds: number(options['sweep-rounds']),
      sides: wantedSweepSides,
      long: options.cells === undefined ? undefined : number(options.cells),
      out: options.out,
    },
    say,
  );
say(`written to ${options.out}`);
rmSync(folder, { recursive: true });

/**
 * ARPACK's tolerance is relative to each eigenvalue, ours to the largest. So that the peers need not do more, theirs is widened by the ratio of
 * the largest to the last wanted eigenvalue.
 */
function setArpackTolerance(eigenvalues: Float64Array): void {
  writeFileSync(
    path.join(folder, 'arpack-tolerance.json'),
    JSON.stringify(problem.tolerance / eigenvalues.at(-1)!),
  );
}
