import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile } from '../../../compiler/index.ts';

const folder = new URL('../../../bench/sweep/pipelines/', import.meta.url);

test.each([
  { file: 'trivial.yaml', stages: 1 },
  { file: 'cells.yaml', stages: 7 },
])('$file of the bench has as many cells as it is told, each with its own seed', ({ file, stages }) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const { plan, warnings } = compile(text, { file, overrides: { cells: '12' } });
  expect(warnings).toEqual([]);
  expect(plan.cells.map(({ id }) => id)).toEqual(
    Array.from({ length: 12 }, (_, index) => `seed=${index + 1}`),
  );
  for (const cell of plan.cells) expect(cell.stages).toHaveLength(stages);
});
