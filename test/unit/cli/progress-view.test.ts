import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Output } from '../../../cli/output/output.ts';
import { createProgressView, formatSnapshot, tellEvent } from '../../../cli/progress/progress-view.ts';
import { describeStage, formatStages, shortenCells } from '../../../cli/progress/stage-lines.ts';
import type { LiveStage, StudyEvent, StudySnapshot } from '../../../runtime/study/client.ts';

const live = (more: Partial<LiveStage>): LiveStage => ({
  ...{ stage: 'train', done: 4500, total: 10_000, unit: 'steps', elapsedMs: 60_000, from: 0, attempt: 1 },
  ...more,
});

const cellOf = (index: number) => `learningRate=0.005,batchSize=${50 + index},momentum=0.9,seed=${index}`;

function snapshot(cells: number): StudySnapshot {
  return {
    cells,
    counts: { succeeded: 3, failed: 1, cancelled: 0 },
    paused: false,
    running: Array.from({ length: Math.min(cells, 12) }, (_, index) => ({
      cellId: cells === 1 ? 'main' : cellOf(index),
      live: [live({ done: 123_456 + index, total: 1_234_567, message: 'loss 0.31, test accuracy 0.912' })],
      queued: 0,
    })),
    more: 0,
    collecting: { live: [], queued: 0 },
  };
}

test('a stage that has not begun says what it waits for', () => {
  const waiting = live({ done: 0, total: 0, unit: '', message: 'waits until it is alone on its worker' });
  expect(describeStage(waiting)).toEqual(['waits until it is alone on its worker']);
  expect(describeStage(live({ done: 0, total: 0 }))).toEqual(['starting']);
});

describe('a queue without a worker', () => {
  afterEach(() => void vi.useRealTimers());

  test('is told once it has had none for ten seconds, and once only', () => {
    vi.useFakeTimers();
    const lines: string[] = [];
    const output = { interactive: false, line: (text: string) => lines.push(text) } as unknown as Output;
    const view = createProgressView(output, 1);
    const linesAfter = (seconds: number, unserved: readonly string[]) => {
      vi.advanceTimersByTime(1000 * seconds);
      view.update({ ...snapshot(0), collecting: { live: [], queued: 1, unserved } });
      return lines.length;
    };
    expect(linesAfter(0, ['cpu'])).toBe(0);
    expect(linesAfter(9, ['cpu'])).toBe(0);
    // A worker came and went.
    expect(linesAfter(0.5, [])).toBe(0);
    expect(linesAfter(1, ['cpu'])).toBe(0);
    expect(linesAfter(9, ['cpu'])).toBe(0);
    expect(linesAfter(2, ['cpu'])).toBe(1);
    expect(linesAfter(20, ['cpu'])).toBe(1);
    expect(lines[0]).toContain('no worker serves the queue cpu');
  });
});

describe('the lines below the events', () => {
  test.each([60, 80, 100, 200])(
    'are whole at %d columns: every number, every cell told from the others',
    (columns) => {
      const lines = formatSnapshot(snapshot(12), { columns, rows: 24 });
      expect(lines).toHaveLength(13);
      expect(lines[0]).toMatch(/^4 of 12 cells ended/);
      for (const [index, line] of lines.slice(1).entries()) {
        expect(line.length).toBeLessThanOrEqual(columns);
        expect(line).toContain(`${(123_456 + index).toLocaleString('en-US')}/1,234,567 steps`);
        expect(line).toMatch(/ (9|10) %/);
        expect(line).toContain('train');
      }
      const cells = lines.slice(1).map((line) => line.split(/ {2,}/)[0]);
      expect(new Set(cells).size).toBe(12);
      expect(cells[3]).toContain('53');
    },
  );

  test('are the stage alone where there is one cell', () => {
    const [line] = formatSnapshot(snapshot(1), { columns: 100, rows: 24 });
    expect(line).toMatch(/^train {2}█+░+ +9 % {2}123,456\/1,234,567 steps, 9 min left/);
  });

  test.each([60, 80, 200])('of one cell are whole at %d columns', (columns) => {
    const lines = formatSnapshot(snapshot(1), { columns, rows: 24 });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.length).toBeLessThanOrEqual(columns);
    expect(lines[0]).toMatch(/^train .* 9 % {2}123,456\/1,234,567 steps, 9 min left/);
    expect(lines[0]!.includes('test accuracy 0.912')).toBe(columns === 200);
  });

  test.each([60, 80, 200])('tell cells and stages of the longest names apart at %d columns', (columns) => {
    const word = 'x'.repeat(70);
    const names = [`${word}First`, `${word}Second`, `Third${word}`];
    const middle = (index: number) => `path=${word}-${index}-${word},seed=1`;
    for (const [cells, stages] of [
      [[1, 2, 3].map(middle), ['train', 'train', 'train']],
      [['main', 'main', 'main'], names],
      [['seed=101', 'seed=102', 'seed=103'], names],
      [names.map((name) => `name=${name}`), names],
    ] as const) {
      const all = cells.map((cellId, index) => ({
        cellId,
        live: [live({ stage: stages[index]!, done: 123_456 + index, total: 1_234_567 })],
        queued: 0,
      }));
      const study = { ...snapshot(1), cells: cells[0] === 'main' ? 1 : 3, running: all };
      const lines = formatSnapshot(study, { columns, rows: 24 }).slice(-3);
      for (const [index, line] of lines.entries()) {
        expect(line.length).toBeLessThanOrEqual(columns);
        expect(line).toContain(`${(123_456 + index).toLocaleString('en-US')}/1,234,567 steps`);
      }
      const places = lines.map((line) => line.split(/ +(?:[█░]|9 %)/)[0]);
      expect(new Set(places).size, lines.join('\n')).toBe(3);
    }
  });

  test('never are more than there is room for, and say how many more there are', () => {
    const lines = formatSnapshot(snapshot(12), { columns: 80, rows: 6 });
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toBe('... and 8 more lines');
  });

  test('a stage without numbers yet has none', () => {
    const lines = formatStages([{ cell: '', stage: 'hessian', state: live({ done: 0, total: 0 }) }], 80);
    expect(lines[0]).toMatch(/^hessian +starting$/);
    expect(lines[0]).not.toMatch(/0\/0/);
  });

  test('a plain line of a stage without numbers has none either', () => {
    expect(describeStage(live({ stage: 'hessian', done: 0, total: 0, attempt: 2 }))).toEqual([
      'starting',
      'attempt 2',
    ]);
  });

  test('a stage that took steps of an earlier attempt over counts its own for the time left', () => {
    const resumed = live({ done: 600, from: 500, total: 1000, elapsedMs: 10_000 });
    expect(describeStage(resumed)).toEqual(['600/1,000 steps', '40 s left']);
    expect(describeStage({ ...resumed, done: 500 })).toEqual(['500/1,000 steps']);
    expect(describeStage({ ...resumed, done: 1000 })).toEqual(['1,000/1,000 steps']);
  });
});

test('cells are shortened by their names first; their values stay', () => {
  const ids = [cellOf(1), cellOf(2)];
  expect(shortenCells(ids, 100)).toEqual(ids);
  expect(shortenCells(ids, 30)).toEqual(['lR=0.005,bS=51,m=0.9,s=1', 'lR=0.005,bS=52,m=0.9,s=2']);
  expect(shortenCells(ids, 15)).toEqual(['0.005,51,0.9,1', '0.005,52,0.9,2']);
});

describe('an event in words', () => {
  const outcome = { key: '', outputs: {}, reused: true, seconds: 5.5, notes: [] };
  test.each<[StudyEvent, number, string | undefined]>([
    [{ type: 'stage', cellId: 'seed=1', stage: 'fit', end: 'done', outcome }, 3, 'seed=1 fit: reused'],
    [
      { type: 'stage', cellId: 'main', stage: 'fit', end: 'done', outcome: { ...outcome, reused: false } },
      1,
      'fit: done in 5.5 s',
    ],
    [
      {
        ...{ type: 'stage', cellId: 'main', stage: 'train', end: 'done' },
        outcome: { ...outcome, reused: false, continued: true },
      },
      1,
      'train: done in 5.5 s from a checkpoint',
    ],
    [{ type: 'stage', stage: 'sweep', end: 'done', outcome }, 3, 'sweep: reused'],
    [{ type: 'stage', cellId: 'seed=1', stage: 'fit', end: 'stopped' }, 3, 'seed=1 fit: stopped'],
    [
      { type: 'cell', cellId: 'seed=1', status: 'succeeded', ended: 2 },
      3,
      'seed=1: succeeded, 2 of 3 cells ended',
    ],
    [{ type: 'cell', cellId: 'main', status: 'succeeded', ended: 1 }, 1, undefined],
  ])('%j', (event, cells, text) => {
    expect(tellEvent(event, cells)).toBe(text);
  });

  test('a failure shows no escape sequences', () => {
    const message = 'bad \u001b[2J thing\nmore';
    const told = tellEvent({ type: 'stage', cellId: 'a', stage: 'train', end: 'failed', message }, 1)!;
    expect(told).toMatch(/^train: .*failed.*: bad /);
    expect(told).not.toContain('\u001b[2J');
  });
});
