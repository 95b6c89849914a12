/** A `collection` of more cells than can be told apart as points. */
import { describe, expect, it, test } from 'vitest';
import { middles } from '../../../report/figures/drawing/crowd.ts';
import type { Collection } from '../../../report/figures/drawing/data.ts';
import { renderFigure } from '../../../report/figures/index.ts';

describe('the middle of many points', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

  it('is the median and the quartiles at each value of the axis', () => {
    const points = [
      ...numbers(101).map((value) => ({ x: 'a', value })),
      ...numbers(2).map((value) => ({ x: 'b', value })),
    ];
    expect(middles(points)).toEqual([
      { x: 'a', low: 25, median: 50, high: 75 },
      { x: 'b', low: 0.25, median: 0.5, high: 0.75 },
    ]);
  });

  it('is that of each fortieth part of the points where an axis has more values than that', () => {
    const found = middles(numbers(4000).map((x) => ({ x: 3999 - x, value: 2 * (3999 - x) })));
    expect(found).toHaveLength(40);
    expect(found[1]).toEqual({ x: 150, low: 249.5, median: 299, high: 348.5 });
  });

  it('is that of names in their order where there are more than that', () => {
    const found = middles(numbers(80).map((index) => ({ x: `name ${80 - index}`, value: index })));
    expect(found).toHaveLength(40);
    expect(found[1]).toEqual({ x: 'name 77', low: 2.25, median: 2.5, high: 2.75 });
  });
});

const planned = {
  kind: 'collection',
  from: { scope: 'study', stage: 'sweep', output: 'table', kind: 'collection' },
} as const;

async function draw(level: (index: number) => number | string, cells = 10_000) {
  const rows = Array.from({ length: cells }, (_, index) => ({
    ...{ level: level(index), cell: String(index), loss: Math.cos(index), accuracy: 0.9, examples: 10 },
  }));
  const data: Collection = { scope: 'study', axes: ['level'], seeds: [], rows, planned: cells };
  const { svg, caption } = await renderFigure(planned, data);
  return { svg, caption: caption.join(' ') };
}

test.each([
  ['a few numbers', (index: number) => index % 7],
  ['all different numbers', (index: number) => index / 7],
  ['names', (index: number) => `name ${index}`],
])('10,000 cells against %s are a small drawing, and said to be cut', async (_what, level) => {
  const { svg, caption } = await draw(level);
  expect(svg.length).toBeLessThan(700_000);
  expect(svg.match(/<text/g)!.length).toBeLessThan(100);
  expect(caption).toContain(
    '600 of 10,000 cells are drawn as points, evenly spread and without their errors',
  );
  expect(svg).toContain('median and middle half');
});

test('of thousands of names some are written, and said to be so', async () => {
  const { svg } = await draw((index) => `name ${index}`);
  expect(svg.match(/level \(4 of 10,000 names written\)/g)).toHaveLength(2);
  expect(svg.match(/>name \d+</g)).toHaveLength(2 * 4);
});

test('600 cells are all drawn, with their errors', async () => {
  const { svg, caption } = await draw((index) => index % 7, 600);
  expect(caption).not.toContain('drawn as points');
  expect(svg).not.toContain('median and middle half');
});
