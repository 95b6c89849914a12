/**
 * Mutation testing: formulas of `science/{theory,analysis,fit,noise}` are changed one at a time, and the unit tests that reach them must notice.
 *
 *     npm run mutation -- [FILE ...] [--all] [--write]
 *
 * What was caught once stays so until its source changes, or with `--all`; what was not is tried again. A run that is stopped goes on where it was. `--write`
 * writes `docs/reliability/mutation.json` and its table. It takes about an hour on two cores.
 */
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf, mutated } from './mutants.ts';
import { figuresOf, folders, type Tried, writeMutation } from './report.ts';
import { Tester } from './tester.ts';

const root = path.join(import.meta.dirname, '..', '..');

/** Simulations and stages of seconds: a change must be noticed without them, and one that is tried costs a hundredth of them. */
const slow = [
  'quadratic',
  'leftover',
  'noise-epoch-share',
  'fit-correlation-times',
  'noise-stage',
  'batch-normalization',
];
const tests = globSync(`test/unit/science/{${folders.join(',')}}/*.test.ts`, { cwd: root })
  .filter((file) => !slow.includes(path.basename(file, '.test.ts')))
  .sort();

interface Found {
  readonly source: string;
  /** By place and change: the test that failed; null if none did. */
  readonly by: Record<string, string | null>;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const tester = new Tester(root, tests);
let [done, missed] = [0, 0];
for (const folder of folders) {
  const state = readState(folder);
  for (const file of globSync(`science/${folder}/*.ts`, { cwd: root }).sort()) {
    if (positionals.length > 0 && !positionals.some((part) => file.includes(part))) continue;
    const source = readFileSync(path.join(root, file), 'utf8');
    const digest = digestOf(source);
    const known = state[file];
    const found: Found = known?.source === digest && !options.all ? known : { source: digest, by: {} };
    state[file] = found;
    for (const mutant of mutantsOf(source)) {
      const key = keyOf(mutant);
      if (typeof found.by[key] === 'string') continue;
      const { failed } = await tester.run(file, mutated(source, mutant));
      found.by[key] = failed ?? null;
      done++;
      if (failed === undefined) {
        missed++;
        console.log(`${file}:${mutant.line}: ${mutant.change}\n    ${mutant.text}`);
      }
      if (done % 20 === 0) keep(folder, state);
    }
    keep(folder, state);
    const all = mutantsOf(source).map((mutant) => found.by[keyOf(mutant)]);
    console.log(`${file}: ${all.filter((by) => typeof by === 'string').length} of ${all.length} caught`);
  }
}
await tester.close();
console.log(`${done} tried, ${missed} of them not noticed.`);
if (options.write) writeMutation(figuresOf(counted()));

/** Every change there is, with what came of it. */
function counted(): Tried[] {
  return folders.flatMap((folder) => {
    const state = readState(folder);
    return globSync(`science/${folder}/*.ts`, { cwd: root })
      .sort()
      .flatMap((file) => {
        const source = readFileSync(path.join(root, file), 'utf8');
        const by = state[file]?.source === digestOf(source) ? state[file].by : {};
        return mutantsOf(source).map(({ text, change, ...place }) => ({
          ...{ folder, file, text, change },
          by: by[keyOf({ text, change, ...place })],
        }));
      });
  });
}

function digestOf(source: string): string {
  return createHash('sha256').update(source).digest('hex');
}

function keyOf({ start, end, replacement }: Mutant): string {
  return `${start}-${end} ${replacement}`;
}

function stateFile(folder: string): string {
  return path.join(root, 'node_modules', '.cache', 'mutation', `${folder}.json`);
}

function readState(folder: string): Record<string, Found> {
  try {
    return JSON.parse(readFileSync(stateFile(folder), 'utf8')) as Record<string, Found>;
  } catch {
    return {};
  }
}

function keep(folder: string, state: Record<string, Found>): void {
  mkdirSync(path.dirname(stateFile(folder)), { recursive: true });
  writeFileSync(stateFile(folder), JSON.stringify(state));
}
