/** Runs the tests that reach a source file, those that take least first, in a session that is begun anew where it hangs. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { importsOf } from './imports.ts';
import type { Answer, Task } from './session.ts';

/** Of processor time, for each test file, besides five times what it takes without a change. */
const leastSeconds = 1;
/** After so long without an answer a session is killed: the change has made something endless that is no loop of the file itself. */
const patience = 300_000;
/** What was loaded stays in a session's memory. */
const changesOfSession = 250;

export class Tester {
  readonly #root: string;
  readonly #tests: readonly string[];
  /** Of processor time that each test file takes without a change. */
  readonly #usual = new Map<string, number>();
  #session: ChildProcess | undefined;
  #asked = 0;

  /** @param tests Relative to `root`. */
  constructor(root: string, tests: readonly string[]) {
    this.#root = root;
    this.#tests = tests.map((test) => path.join(root, test));
  }

  /** What the tests of the file's own room that reach it say of it as it reads now. Throws if they fail without a change. */
  async run(file: string, code: string): Promise<Answer> {
    const absolute = path.join(this.#root, file);
    const room = path.basename(path.dirname(file));
    const reaching = this.#tests.filter(
      (test) => path.basename(path.dirname(test)) === room && importsOf(test).has(absolute),
    );
    for (const test of reaching) await this.#measure(test);
    const tests = reaching.toSorted((a, b) => this.#usual.get(a)! - this.#usual.get(b)!);
    const seconds = tests.map((test) => leastSeconds + 5 * this.#usual.get(test)!);
    if (++this.#asked % changesOfSession === 0) await this.close();
    const answer = await this.#ask({ file: absolute, code, tests, seconds });
    if (answer.failed?.includes('ERR_MODULE_NOT_FOUND'))
      throw new Error(`Files of the project were moved meanwhile; start again. ${answer.failed}`);
    return answer;
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session?.pid === undefined) return;
    const ended = once(session, 'exit');
    // The session and the process of its tests are a group.
    process.kill(-session.pid, 'SIGKILL');
    await ended;
  }

  async #measure(test: string): Promise<void> {
    if (this.#usual.has(test)) return;
    const { failed, seconds } = await this.#ask({ file: test, tests: [test], seconds: [1000] });
    if (failed !== undefined) throw new Error(`${test} fails without any change: ${failed}`);
    this.#usual.set(test, seconds[test]!);
    console.log(`${path.basename(test)}: ${seconds[test]!.toFixed(2)} s`);
  }

  async #ask(task: Task): Promise<Answer> {
    this.#session ??= await begin();
    const session = this.#session;
    const hurry = new AbortController();
    const late = new Promise<undefined>((resolve) => {
      const timer = setTimeout(resolve, patience, undefined);
      hurry.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    const answered = once(session, 'message').then(([answer]) => answer as Answer);
    session.send(task);
    const answer = await Promise.race([answered, late]);
    hurry.abort();
    if (answer !== undefined) return answer;
    await this.close();
    return { failed: 'the tests do not end', seconds: {} };
  }
}

async function begin(): Promise<ChildProcess> {
  const session = fork(path.join(import.meta.dirname, 'session.ts'), {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(session, 'message');
  return session;
}
