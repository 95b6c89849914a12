/** What is on the screen of a real terminal when a run has ended: its bytes, as a terminal draws them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import xterm from '@xterm/headless';
import { afterAll, describe, expect, test } from 'vitest';
import { freshHome, root } from './epochal.ts';
import { trainings } from './trainings.ts';

const program = '/usr/bin/script';
const stages = ['data', 'train', 'record', 'hessian', 'project', 'analyze', 'fit'];
const small = join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
const place = freshHome();
afterAll(() => place.remove());

interface Screen {
  readonly code: number | null;
  /** All lines, those that have scrolled away too. */
  readonly lines: readonly string[];
}

/** Runs a command on a pseudo-terminal. `watch` is given its output so far, and the terminal to type into. */
async function onTerminal(
  args: readonly string[],
  columns: number,
  watch: (output: string, child: ChildProcess) => void = () => undefined,
): Promise<Screen> {
  const command = [process.execPath, join(root, 'cli', 'epochal.mjs'), ...args].map((word) => `'${word}'`);
  const line = `stty cols ${columns} rows 24; exec ${command.join(' ')}`;
  const child = spawn(program, ['-qefc', line, '/dev/null'], {
    cwd: root,
    env: { ...process.env, EPOCHAL_HOME: join(place.home, 'home'), TERM: 'xterm-256color', NO_COLOR: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const terminal = new xterm.Terminal({ cols: columns, rows: 24, scrollback: 5000, allowProposedApi: true });
  const decoder = new TextDecoder();
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    terminal.write(data);
    output += decoder.decode(data, { stream: true });
    watch(output, child);
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  await new Promise<void>((done) => terminal.write('', done));
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = 0; row < active.length; row++) {
    const drawn = active.getLine(row)!;
    const text = drawn.translateToString(true);
    if (drawn.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`);
    else lines.push(text);
  }
  return { code, lines };
}

/** A row of what runs. */
const leftover = /[█░]|starting|waits? for a worker| left\b(?! over)|^\d+ of \d+ cells ended/;

function expectOnce(lines: readonly string[], end: string, of = stages): void {
  for (const stage of of) {
    const told = lines.filter((line) => line.startsWith(`${stage}: `));
    expect(told, lines.join('\n')).toEqual([expect.stringMatching(new RegExp(`^[^:]+: ${end}$`))]);
  }
  expect(lines.filter((line) => leftover.test(line))).toEqual([]);
}

describe.skipIf(!existsSync(program))('at the end of a run on a terminal', () => {
  test('of one cell, every stage stands there once and nothing else; of a rerun too', async () => {
    const done = await onTerminal(['run', small], 60);
    expect(done.code, done.lines.join('\n')).toBe(0);
    expectOnce(done.lines, 'done in [\\d.]+ (s|ms|min.*)');
    const reused = await onTerminal(['run', small], 200);
    expect(reused.code).toBe(0);
    expectOnce(reused.lines, 'reused');
    expect(reused.lines.join('\n')).toMatch(/1 of 1 cell, all 7 stages reused/);
  }, 300_000);

  test('of several cells, every stage of each, and the end of each', async () => {
    const file = join(place.home, 'cells.yaml');
    writeFileSync(
      file,
      trainings({
        ...{ name: 'cells', matrix: 'aRatherLongNameOfAnAxis: [0.05, 0.1, 0.15], seed: [1, 2]', epochs: 20 },
        optimizer: 'learningRate: "${{ params.aRatherLongNameOfAnAxis }}"',
      }),
    );
    const { code, lines } = await onTerminal(['run', file], 60);
    expect(code, lines.join('\n')).toBe(0);
    const cells = [0.05, 0.1, 0.15].flatMap((rate) =>
      [1, 2].map((seed) => `aRatherLongNameOfAnAxis=${rate},seed=${seed}`),
    );
    expectOnce(
      lines,
      '(done in .*|reused)',
      cells.flatMap((cell) => [`${cell} data`, `${cell} train`]),
    );
    expectOnce(lines, 'succeeded, \\d of 6 cells ended', cells);
  }, 300_000);

  test('that Ctrl-C has ended, only what was done', async () => {
    let pressed = false;
    const endless = ['run', small, '--set', 'epochs=1000000'];
    const { code, lines } = await onTerminal(endless, 80, (output, child) => {
      if (pressed || !/train.* [1-9][\d,]*\/[\d,]+ steps/.test(output)) return;
      pressed = true;
      child.stdin!.write('\u0003');
    });
    expect(code, lines.join('\n')).toBe(130);
    expectOnce(lines, 'reused', ['data']);
    expect(lines.join('\n')).toMatch(/Stopping;[\s\S]*Stopped\. Everything done so far is kept/);
    expect(lines.filter((line) => /^(train|record|hessian): (done|reused|failed)/.test(line))).toEqual([]);
  }, 300_000);
});
