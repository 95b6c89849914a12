import { type FigureKind, figureKinds, figuresByDefault } from '../schema/kinds.ts';
import type { SchemaNode } from '../schema/schema-transform.ts';
import { schemas } from '../schema/schemas.ts';
import { stageKinds } from '../schema/stage-kinds.ts';
import { cell, code, generated, keyTable, lines } from './docs-tables.ts';

/** The page `docs/figures-of-a-report.md`: each kind of figure, the keys of a figure, and what is drawn where none is named. */
export function figurePage(): string {
  return lines([
    generated,
    '# Figures of a report',
    '',
    '`report.figures` lists the figures of a study in their order. Each is drawn from one artifact: from that of every cell, told apart by colour',
    '(`from: ${{ stages.NAME.OUTPUT }}`), or from what a `collect` gathered (`from: ${{ collect.NAME.OUTPUT }}`). Beside each lie its SVG, its PNG and',
    'its data as CSV. `title` and `caption` may hold expressions of the `params`.',
    '',
    '```yaml',
    'report:',
    '  title: Correlation times',
    '  figures:',
    '    - kind: correlation-time',
    '      from: ${{ stages.analyze.spectrum }}',
    '      fit: ${{ stages.fit.parameters }}',
    '      title: How long the velocity is correlated',
    '      caption: Recorded with seed ${{ params.seed }}.',
    '```',
    '',
    '## Keys of a figure',
    '',
    ...keyTable(schemas.language.$defs.Figure as SchemaNode),
    '',
    '## Kinds',
    '',
    '| `kind` | shows | drawn from | `fit` | default `title` |',
    '| --- | --- | --- | --- | --- |',
    ...Object.entries(figureKinds).map(
      ([kind, { title, shows, from, of, fit }]) =>
        `| \`${kind}\` | ${cell(shows)} | \`${from}\` of [\`${of}\`](stages/${of}.md) | ${fit === undefined ? 'no' : code(fit)} | ${title} |`,
    ),
    '',
    'One of each, for stages named after their kinds and a `collect` named `sweep`:',
    '',
    '```yaml',
    'report:',
    '  figures:',
    ...Object.entries(figureKinds).map(example),
    '```',
    '',
    '## Where `figures` is left out',
    '',
    'The report then has, for every artifact of these kinds that a stage or a `collect` of the pipeline writes:',
    '',
    ...defaults(),
    '',
    'A `fit` is drawn into them where a stage makes one from the same artifact.',
    '',
    '## What is left out',
    '',
    'A report of thousands of cells stays readable, and a browser opens it at once: it draws and lists some of them. Wherever it shows less than there',
    'is, it says how many of how many, and where the rest is.',
    '',
    '- **Cells** that failed come first in every list, then those with warnings. Failures and notes that differ in numbers only are one line, which',
    '  opens.',
    '- **Figures of a stage of each cell** draw 60 cells from all over the study, 12 of them with a colour and a place in the legend; their data are',
    '  those of the cells drawn. A `collection` of more than 600 cells draws that many points, and for each value of an axis the median and the middle',
    '  half of all cells; a `paired-difference` draws 300 pairs. The data have all. A drawing of thousands of marks is in the page as a picture; its SVG lies beside it.',
    '- **Results**: what a `collect` has gathered is there of every cell; of what none gathers, 200 artifacts from all over the study are read. The',
    '  fits farthest from the theory are listed first.',
    '- **Tables beside the page** are whole: `cells.csv` (what became of each cell) and `notes.csv`, and of all that was read `results.csv` and `fits.csv`.',
  ]);
}

function example([kind, figure]: readonly [string, FigureKind]): string {
  const { of, from, fit } = figure;
  const fitting = fit === undefined ? '' : `, fit: "\${{ stages.fit.${outputOf('fit', fit)} }}"`;
  const place = of === 'collect' ? 'collect.sweep' : `stages.${of}`;
  return `    - { kind: ${kind}, from: "\${{ ${place}.${outputOf(of, from)} }}"${fitting} }`;
}

/** Name of the output of a stage kind that is of an artifact kind. */
function outputOf(uses: string, wanted: string): string {
  const found = Object.entries(stageKinds[uses]!.outputs).find(([, kind]) => kind === wanted);
  if (found === undefined) throw new Error(`A ${uses} stage has no ${wanted}.`);
  return found[0];
}

function defaults(): string[] {
  const drawn = Object.entries(figuresByDefault);
  return [...Map.groupBy(drawn, ([, { from }]) => from)].map(
    ([from, kinds]) => `- \`${from}\`: ${kinds.map(([kind]) => code(kind)).join(', ')}`,
  );
}
