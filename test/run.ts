/** `npm test`: the static checks, then every layer of tests, then whether they left anything. The last line is `N passed, N failed`. */
import { parseCLI, startVitest, type Vitest } from 'vitest/node';
import { runChecks } from './check.ts';
import { openTemporary } from './leftovers.ts';

type Task = ReturnType<Vitest['state']['getFiles']>[number]['tasks'][number];

/** How each test of a file ended. One that could not be loaded or has crashed has failed, whatever its tests did. */
function endsOf(file: ReturnType<Vitest['state']['getFiles']>[number]): (string | undefined)[] {
  const collect = (task: Task): (string | undefined)[] =>
    'tasks' in task ? task.tasks.flatMap(collect) : [task.mode === 'skip' ? 'skip' : task.result?.state];
  const ends = file.tasks.flatMap(collect);
  return ends.length === 0 || file.result?.errors?.length ? [...ends, 'fail'] : ends;
}

const temporary = openTemporary();
const checks = await runChecks();
const { filter, options } = parseCLI(['vitest', ...process.argv.slice(2)]);
const vitest = await startVitest('test', filter, { ...options, watch: false, reporters: ['default'] });
const files = vitest.state.getFiles();
const unhandled = vitest.state.getUnhandledErrors().length;
await vitest.close();
const left = await temporary.clear();
for (const what of left) console.log(`FAIL  left by a test: ${what}`);

const ends = files.length === 0 ? ['fail'] : files.flatMap(endsOf);
const count = (end: string) => ends.filter((each) => each === end).length;
const failed = checks.failed.length + ends.length - count('pass') - count('skip') + unhandled + left.length;
if (count('skip') > 0) console.log(`${count('skip')} skipped`);
console.log(`${checks.passed.length + count('pass')} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
