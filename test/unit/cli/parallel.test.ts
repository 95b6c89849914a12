import { expect, test } from 'vitest';
import { parallelOf } from '../../../cli/run/parallel.ts';
import { slotsFor } from '../../../runtime/workers/slots.ts';

const cells = (count: number) => Array.from({ length: count }, () => ({}) as never);

test('a stage at once for each core, as far as the memory goes, and one in any case', () => {
  expect(slotsFor(8, 64e9)).toBe(8);
  expect(slotsFor(64, 16e9)).toBe(8);
  expect(slotsFor(4, 1e9)).toBe(1);
});

test('twice as many cells at once as stages, unless the pipeline says otherwise', () => {
  expect(parallelOf({ cells: cells(100) }, { slots: 8 })).toEqual({
    slots: 8,
    cells: 16,
    text: '16 of 100 cells, 8 stages of one thread here',
  });
  expect(parallelOf({ cells: cells(100) }, { slots: 1 }).cells).toBe(4);
  expect(parallelOf({ cells: cells(100), maxParallel: 3 }, { slots: 8 })).toMatchObject({
    cells: 3,
    text: '3 of 100 cells, 8 stages of one thread here',
  });
});

test('what is said fits one cell, and workers elsewhere', () => {
  expect(parallelOf({ cells: cells(1) }, { slots: 2 }).text).toBe('2 stages of one thread here');
  expect(parallelOf({ cells: cells(1000) }, { worker: false }).text).toBe('32 of 1,000 cells');
  expect(parallelOf({ cells: cells(1) }, { worker: false }).text).toBe('');
});
