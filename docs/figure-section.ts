import type { Store } from '../artifacts/store/store.ts';
import { renderPng } from '../report/figures/drawing/render.ts';
import { renderFigure } from '../report/figures/index.ts';
import { readKeyResults } from '../report/key-results.ts';
import { formatDuration } from '../report/numbers.ts';
import type { Study } from '../report/read-study.ts';
import { readFigureData } from '../report/read-tables.ts';
import { fitTables, seedTables, trainingSentence } from './result-tables.ts';

/** What the page of figures says of one pipeline. */
export interface Section {
  readonly markdown: string;
  readonly pictures: readonly Picture[];
}

export interface Picture {
  readonly file: string;
  /** Draws it. */
  readonly png: () => Uint8Array;
}

/** Pixels of a picture per pixel of the figure: sharp enough for a page, and about 100 kB. */
const pictureScale = 1.25;

/** Where a section stands. */
export interface Place {
  /** What its pictures begin with. */
  readonly name: string;
  /** Folder of the pictures, as the page names it, with a slash at its end if it has any. */
  readonly folder: string;
  readonly command: string;
  /** The page on the theory, as the page names it. */
  readonly theoryPage: string;
  /** Paragraphs below the command: what it was run on. */
  readonly facts?: readonly string[];
}

/** The section of a pipeline: what its file says it shows, its command, its figures with captions, and its numbers. */
export async function sectionOf(place: Place, store: Store, study: Study): Promise<Section> {
  const { plan } = study;
  const { about, expect } = readComment(plan.source.text);
  const pictures: Picture[] = [];
  const figures: string[] = [];
  for (const [index, figure] of plan.report.figures.entries()) {
    const { title, caption, svg } = await renderFigure(figure, await readFigureData(store, study, figure));
    const file = `${place.name}-${index + 1}-${figure.kind}.png`;
    pictures.push({ file, png: () => renderPng(svg, pictureScale) });
    figures.push(`![${title}](${place.folder}${file})\n\n*${title}.* ${caption.join(' ')}`);
  }
  const { parameters, training } = await readKeyResults(store, study);
  const seconds = [...study.steps.values()].reduce((sum, { provenance }) => sum + provenance.seconds, 0);
  const markdown = [
    `## ${plan.report.title}`,
    about,
    `\`\`\`sh\n${place.command}\n\`\`\``,
    ...(place.facts ?? []),
    ...(expect === '' ? [] : [expect]),
    ...figures,
    ...seedTables(study, parameters),
    ...fitTables(parameters, place.theoryPage),
    ...trainingSentence(training),
    `Stages took ${formatDuration(seconds)} together when they were computed.`,
  ].join('\n\n');
  return { markdown, pictures };
}

/** The paragraphs of the comment that a pipeline begins with: the first, and the one that says what to expect. */
export function readComment(text: string): { readonly about: string; readonly expect: string } {
  const lines = text.split('\n').slice(1);
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const paragraphs = lines
    .slice(0, end)
    .map((line) => line.replace(/^# ?/, ''))
    .join('\n')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim());
  const plain = paragraphs.filter((paragraph) => paragraph !== '' && !/^(npx|node) /.test(paragraph));
  const isExpectation = (paragraph: string) => paragraph.startsWith('Expect');
  return {
    about: plain.filter((paragraph) => !isExpectation(paragraph)).join('\n\n'),
    expect: plain.find(isExpectation) ?? '',
  };
}
