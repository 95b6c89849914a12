/** `npm test`: the static checks, then every layer of tests. The last line is `N passed, N failed` (`, N skipped` where something was). */
import { startVitest } from 'vitest/node';
import { runChecks } from './check.ts';

const checks = await runChecks();
const vitest = await startVitest('test', process.argv.slice(2), { watch: false, reporters: ['default'] });
await vitest.close();
const tests = vitest.state.getFiles().flatMap((file) => {
  const collect = (task: typeof file | (typeof file.tasks)[number]): (string | undefined)[] =>
    'tasks' in task ? task.tasks.flatMap(collect) : [task.mode === 'skip' ? 'skip' : task.result?.state];
  const states = collect(file);
  // A file that could not even be loaded has no tests, and has failed.
  return states.length === 0 || file.result?.errors?.length ? [...states, 'fail'] : states;
});
const unhandled = vitest.state.getUnhandledErrors().length;
const count = (state: string) => tests.filter((test) => test === state).length;
const failed = checks.failed.length + tests.length - count('pass') - count('skip') + unhandled;
const skipped = count('skip');
process.exitCode = failed > 0 ? 1 : 0;
console.log(
  `${checks.passed.length + count('pass')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
