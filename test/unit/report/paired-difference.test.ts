import { describe, expect, test } from 'vitest';
import { compare } from '../../../report/figures/drawing/comparison.ts';
import type { Collection } from '../../../report/figures/drawing/data.ts';
import { pairCells } from '../../../report/figures/drawing/pairing.ts';
import { renderFigure } from '../../../report/figures/index.ts';

const samplings = ['without-replacement', 'with-replacement'] as const;
const planned = {
  kind: 'paired-difference',
  from: { scope: 'study', stage: 'accuracies', output: 'table', kind: 'collection' },
} as const;

/** Test accuracies of five seeds, drawn without and with replacement; with replacement first in the rows of a seed. */
function accuracies(): Collection {
  const values: readonly (readonly [number, number])[] = [
    [0.652, 0.645],
    [0.641, 0.637],
    [0.648, 0.639],
    [0.644, 0.638],
    [0.64, 0.631],
  ];
  const rows = samplings.flatMap((sampling, side) =>
    values.map((pair, index) => ({
      sampling,
      seed: index + 1,
      cell: `${sampling}-${index}`,
      test_accuracy: pair[side]!,
      train_accuracy: 0.9,
    })),
  );
  return { scope: 'study', axes: ['sampling', 'seed'], seeds: ['seed'], rows, planned: rows.length };
}

/** Loss fluctuations of one pair, with errors and theory. */
function fluctuations(): Collection {
  const row = (sampling: string, measured: number, theory: number) => ({
    sampling,
    cell: sampling,
    loss_fluctuation: measured,
    loss_fluctuation_standard_error: measured / 50,
    loss_fluctuation_theory: theory,
  });
  return {
    scope: 'study',
    axes: ['sampling'],
    seeds: [],
    planned: 2,
    rows: [row(samplings[0], 38, 40), row(samplings[1], 100, 100)],
  };
}

test('cells are paired by every axis but the compared one, whatever their order', () => {
  const data = accuracies();
  const { axis, levels, by, pairs, alone } = pairCells({ ...data, rows: data.rows.toSorted() });
  expect({ axis, levels, by, alone }).toEqual({
    axis: 'sampling',
    levels: samplings,
    by: ['seed'],
    alone: 0,
  });
  for (const [a, b] of pairs) {
    expect([a.sampling, b.sampling, a.seed]).toEqual([...samplings, b.seed]);
  }
});

test('a cell without a partner is left out and counted', () => {
  const data = accuracies();
  const { pairs, alone } = pairCells({ ...data, rows: data.rows.slice(1) });
  expect([pairs.length, alone]).toEqual([4, 1]);
});

test('accuracies differ by their paired mean, in percentage points', async () => {
  const { measured } = compare(accuracies());
  // Differences 0.7, 0.4, 0.9, 0.6, 0.9 %: mean 0.7, standard deviation 0.212, t(0.975, 4) = 2.776.
  expect(measured.difference).toBeCloseTo(0.007, 12);
  expect(measured.standardError).toBeCloseTo(0.00212132 / Math.sqrt(5), 8);
  expect(measured.halfWidth).toBeCloseTo((2.7764451 * 0.00212132) / Math.sqrt(5), 8);
  const { caption, svg } = await renderFigure(planned, accuracies());
  expect(caption.join(' ')).toContain(
    'Mean of 5 pairs: 64.5 % for without-replacement, 63.8 % for with-replacement; the former minus the latter 0.700 ± 0.095 percentage points; 95 % interval 0.437 … 0.963',
  );
  expect(svg).toContain('difference (percentage points)');
});

test('a single pair of loss fluctuations has a reduction with the error of its fits, beside the theory', async () => {
  const { measured, theory, propagated } = compare(fluctuations());
  expect(measured.difference).toBeCloseTo(0.62, 12);
  expect(theory!.difference).toBeCloseTo(0.6, 12);
  expect(propagated).toBeCloseTo(0.38 * Math.SQRT2 * 0.02, 12);
  const { caption } = await renderFigure(planned, fluctuations());
  expect(caption.join(' ')).toContain('the former smaller by 62.0 ± 1.1 %, with the error of the two fits');
  expect(caption.join(' ')).toContain('Theory, from each cell’s own noise: 60 %.');
});

describe('what cannot be compared is told', () => {
  test.each([
    ['no axis has two levels', { axes: ['seed'] }],
    ['sampling and half have two levels', { axes: ['sampling', 'half'] }],
  ] as const)('%s', (message, changes) => {
    const data = accuracies();
    const rows = data.rows.map((row) => ({ ...row, half: Number(row.seed) % 2 }));
    expect(() => pairCells({ ...data, rows, ...changes })).toThrow(message);
  });

  test('no partner at all', () => {
    const data = accuracies();
    const rows = data.rows.filter((row, index) => index < 5 === Number(row.seed) < 3);
    expect(() => pairCells({ ...data, rows })).toThrow('No two cells differ in sampling only');
  });

  test('no quantity', () => {
    const rows = accuracies().rows.map(({ sampling, seed }) => ({ sampling: sampling!, seed: seed! }));
    expect(() =>
      compare({ scope: 'study', axes: ['sampling', 'seed'], seeds: ['seed'], rows, planned: rows.length }),
    ).toThrow('none of loss_fluctuation');
  });
});

test('of thousands of pairs 300 are drawn, and the mean is that of all', async () => {
  const rows = samplings.flatMap((sampling, side) =>
    Array.from({ length: 2500 }, (_, index) => ({
      ...{ sampling, seed: index + 1, cell: `${sampling}-${index}` },
      test_accuracy: 0.64 + 0.01 * side + 0.001 * Math.sin(index),
    })),
  );
  const data = { ...accuracies(), rows, planned: rows.length };
  const { svg, caption } = await renderFigure(planned, data);
  expect(caption.join(' ')).toContain('300 of 2,500 pairs are drawn, evenly spread; the data has all.');
  expect(caption.join(' ')).toContain('Mean of 2,500 pairs');
  expect(svg.length).toBeLessThan(400_000);
});
