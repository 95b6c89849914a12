/** What mutation testing has found, as figures and as a table of `docs/reliability.md`. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { putBetween } from '../../docs/between-marks.ts';

export const folders = ['theory', 'analysis', 'fit', 'noise'] as const;

/** A change of a line of a source file. */
interface Change {
  readonly file: string;
  readonly text: string;
  readonly change: string;
}

export interface Tried extends Change {
  readonly folder: string;
  /** The test that noticed; null if none did, undefined if it was not tried. */
  readonly by: string | null | undefined;
}

export interface MutationFigures {
  readonly folders: readonly {
    readonly folder: string;
    readonly changes: number;
    readonly tried: number;
    readonly caught: number;
    /** Not noticed because they change nothing that could be. */
    readonly equivalent: number;
  }[];
  readonly missed: readonly Change[];
  readonly equivalent: readonly (Change & { readonly why: string })[];
}

const docs = path.join(import.meta.dirname, '..', '..', 'docs');
const page = path.join(docs, 'reliability.md');
const figuresFile = path.join(docs, 'reliability', 'mutation.json');
const equivalentFile = path.join(import.meta.dirname, 'equivalent.json');
const begin = '<!-- Written by `npm run mutation -- --write`. -->';
const end = '<!-- End of what mutation testing wrote. -->';

/** Throws if a change that is said to be equivalent is none that was missed: it is noticed, or no longer there. */
export function figuresOf(tried: readonly Tried[]): MutationFigures {
  const named = JSON.parse(readFileSync(equivalentFile, 'utf8')) as MutationFigures['equivalent'];
  const same = (a: Change) => (b: Change) => a.file === b.file && a.text === b.text && a.change === b.change;
  const unnoticed = tried.filter(({ by }) => by === null);
  const open = tried.filter(({ by }) => typeof by !== 'string');
  for (const entry of named) {
    if (open.some(same(entry))) continue;
    throw new Error(
      `equivalent.json names a change that was not missed: ${entry.file}: ${entry.text}: ${entry.change}. Leave it out.`,
    );
  }
  const isEquivalent = (change: Change) => named.some(same(change));
  return {
    folders: folders.map((folder) => {
      const own = tried.filter((one) => one.folder === folder);
      return {
        folder,
        changes: own.length,
        tried: own.filter(({ by }) => by !== undefined).length,
        caught: own.filter(({ by }) => typeof by === 'string').length,
        equivalent: own.filter((one) => one.by === null && isEquivalent(one)).length,
      };
    }),
    missed: unnoticed
      .filter((one) => !isEquivalent(one))
      .map(({ file, text, change }) => ({ file, text, change })),
    equivalent: named,
  };
}

export function formatMutation(figures: MutationFigures): string {
  const row = (name: string, of: MutationFigures['folders']) => {
    const sum = (part: 'changes' | 'tried' | 'caught' | 'equivalent') =>
      of.reduce((total, one) => total + one[part], 0);
    const share = (100 * sum('caught')) / (sum('tried') - sum('equivalent'));
    const shown = Number.isFinite(share) ? `${share.toFixed(1)} %` : '';
    return `| ${name} | ${sum('changes')} | ${sum('tried')} | ${sum('equivalent')} | ${sum('caught')} | ${shown} |`;
  };
  return [
    '| `science/` | changes | tried | the same in effect | caught | share of the others |',
    '| --- | --- | --- | --- | --- | --- |',
    ...figures.folders.map((one) => row(`\`${one.folder}\``, [one])),
    row('all', figures.folders),
    '',
    `The ${figures.missed.length} that no test has noticed, and why ${figures.equivalent.length} kinds are the same in effect, are in [mutation.json](reliability/mutation.json).`,
  ].join('\n');
}

/** The figures that the page has its table from. */
export function readMutation(): MutationFigures {
  return JSON.parse(readFileSync(figuresFile, 'utf8')) as MutationFigures;
}

/** The page with the table of these figures. */
export function pageWithMutation(figures: MutationFigures): string {
  return putBetween(readFileSync(page, 'utf8'), begin, end, `\n\n${formatMutation(figures)}\n\n`);
}

export function writeMutation(figures: MutationFigures): void {
  writeFileSync(figuresFile, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeFileSync(page, pageWithMutation(figures));
}
