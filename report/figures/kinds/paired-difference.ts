import { type PairedDifference, pairedDifference } from '../../../science/analysis/paired-difference.ts';
import { evenly } from '../../evenly.ts';
import { countOf, formatMeasured, formatSignificant, plural } from '../../numbers.ts';
import { thinnedSentence } from '../drawing/caption.ts';
import { type Comparison, compare } from '../drawing/comparison.ts';
import type { Collection } from '../drawing/data.ts';
import type { CollectionFigure } from '../drawing/definition.ts';
import type { Layer, Panel } from '../drawing/drawing.ts';
import { cellColours, colours } from '../drawing/theme.ts';

/** Pairs drawn at most; the means are of all. */
const drawnPairs = 300;

/** Two levels of an axis side by side, cell by cell, and the difference with its interval. */
export const figure: CollectionFigure = {
  name: 'paired-difference',
  title: 'Difference between two levels of an axis',
  shows:
    'Loss of the fluctuations or accuracy at the two levels of the one axis that has two, seeds apart, cell by cell, and the mean difference with its interval.',
  of: 'collect',
  from: 'collection',
  scope: 'study',
  draw: (data) => {
    const comparison = compare(data);
    return {
      spec: { hconcat: [valuesPanel(comparison), differencePanel(comparison)] },
      legend: [
        ...comparison.pairing.levels.map((label, index) => ({
          label,
          colour: cellColours[index]!,
          mark: 'point' as const,
        })),
        { label: 'mean', colour: colours.ink.light, mark: 'line' },
        ...(comparison.theory === undefined
          ? []
          : [{ label: 'theory', colour: colours.theory.light, mark: 'dashes' as const }]),
      ],
    };
  },
  caption: (data) => captionOf(compare(data), data),
};

function captionOf(comparison: Comparison, { rows, planned }: Collection): string[] {
  const { pairing, quantity, measured, theory, propagated } = comparison;
  const [a, b] = pairing.levels;
  const { scale, unit } = quantity;
  const value = (x: number) => `${formatSignificant(x * scale, 4)}${unit}`;
  const reduction = quantity.kind === 'reduction';
  const factor = reduction ? 100 : scale;
  const error = measured.pairs > 1 ? measured.standardError : propagated;
  const what = reduction ? 'the former smaller by' : 'the former minus the latter';
  const interval =
    measured.pairs > 1
      ? `; ${100 * measured.confidence} % interval ${span(measured, factor)} by Student's t with ${measured.pairs - 1} degrees of freedom`
      : ', with the error of the two fits';
  return [
    `Left: ${quantity.name} of each cell; a line joins the two cells of a pair, equal in ${pairing.by.length === 0 ? 'all else' : pairing.by.join(', ')}.`,
    `Right: their ${reduction ? 'relative ' : ''}difference, its mean${measured.pairs > 1 ? ', standard error (thick) and interval (thin)' : ' and standard error'}.`,
    `Mean of ${plural(measured.pairs, 'pair')}: ${value(measured.first)} for ${a}, ${value(measured.second)} for ${b}; ` +
      `${what} ${formatMeasured(measured.difference * factor, error * factor)}${quantity.differenceUnit}${interval}.`,
    ...(theory === undefined
      ? []
      : [`Theory, from each cell’s own noise: ${formatSignificant(theory.difference * factor, 3)} %.`]),
    ...thinnedSentence(Math.min(drawnPairs, measured.pairs), measured.pairs, 'pair'),
    ...(pairing.alone > 0
      ? [`${countOf(pairing.alone, rows.length, 'cell')} without a partner left out.`]
      : []),
    ...(rows.length < planned ? [`${countOf(rows.length, planned, 'cell')} are in the table.`] : []),
  ];
}

function span({ difference, halfWidth }: PairedDifference, factor: number): string {
  return `${formatSignificant((difference - halfWidth) * factor)} … ${formatSignificant((difference + halfWidth) * factor)}`;
}

function valuesPanel({ pairing, quantity, measured }: Comparison): Panel {
  const { column, scale, name, unit } = quantity;
  const points = evenly(pairing.pairs, drawnPairs).flatMap((pair, index) =>
    pair.map((row, side) => ({
      pair: index,
      level: pairing.levels[side]!,
      colour: cellColours[side]!,
      value: Number(row[column]) * scale,
    })),
  );
  const means = [measured.first, measured.second].map((mean, side) => ({
    level: pairing.levels[side]!,
    value: mean * scale,
  }));
  return {
    width: 300,
    height: 300,
    view: { stroke: null },
    encoding: {
      x: {
        field: 'level',
        type: 'nominal',
        sort: [...pairing.levels],
        axis: { title: pairing.axis, labelAngle: 0, grid: false, domain: true },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { zero: false, nice: true },
        axis: { title: `${name}${unit === '' ? '' : ` (${unit.trim()})`}`, tickCount: 6 },
      },
    },
    layer: [
      {
        data: { values: points },
        mark: { type: 'line', strokeWidth: 1, color: colours.other.light, opacity: 0.7 },
        encoding: { detail: { field: 'pair', type: 'nominal' } },
      },
      dots(points),
      {
        data: { values: means },
        mark: { type: 'tick', orient: 'horizontal', size: 46, thickness: 2, color: colours.ink.light },
      },
    ],
  };
}

function differencePanel({ pairing, quantity, measured, theory, propagated }: Comparison): Panel {
  const { column, kind, name } = quantity;
  const factor = kind === 'reduction' ? 100 : quantity.scale;
  const points = evenly(pairing.pairs, drawnPairs).map(([a, b]) => {
    const { difference } = pairedDifference([Number(a[column])], [Number(b[column])], kind);
    return { colour: colours.measured.light, value: difference * factor };
  });
  const centre = measured.difference * factor;
  const bar = (half: number, strokeWidth: number): Layer[] =>
    Number.isFinite(half)
      ? [
          {
            data: { values: [{ value: centre - half * factor, high: centre + half * factor }] },
            mark: { type: 'rule', strokeWidth, color: colours.ink.light },
            encoding: { y2: { field: 'high' }, x: { value: 110 } },
          },
        ]
      : [];
  const level = (value: number, color: string, strokeDash: number[]): Layer => ({
    data: { values: [{ value }] },
    mark: { type: 'rule', strokeDash, strokeWidth: 1.5, color },
    encoding: { x: { value: 0 }, x2: { value: 160 } },
  });
  return {
    width: 160,
    height: 300,
    view: { stroke: null },
    encoding: {
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { zero: true, nice: true },
        axis: {
          title: kind === 'reduction' ? `reduction of the ${name} (%)` : `difference (percentage points)`,
          tickCount: 6,
        },
      },
    },
    layer: [
      level(0, colours.frame.light, [1, 0]),
      ...(theory === undefined ? [] : [level(theory.difference * factor, colours.theory.light, [7, 4])]),
      dots(points, { x: { value: 50 } }),
      ...bar(measured.halfWidth, 1.2),
      ...bar(measured.pairs > 1 ? measured.standardError : propagated, 4),
      {
        data: { values: [{ value: centre }] },
        mark: { type: 'tick', orient: 'horizontal', size: 30, thickness: 2, color: colours.ink.light },
        encoding: { x: { value: 110 } },
      },
    ],
  };
}

function dots(
  values: readonly { readonly colour: string; readonly value: number }[],
  position: { readonly x?: { readonly value: number } } = {},
): Layer {
  return {
    data: { values: [...values] },
    mark: { type: 'point', filled: true, shape: 'circle', size: 42, opacity: 0.85 },
    encoding: { ...position, color: { field: 'colour', type: 'nominal', scale: null } },
  };
}
