/** What the chaos was and what came of it, as figures and as a table of `docs/reliability.md`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { putBetween } from '../../docs/between-marks.ts';
import { type ChaosEvent, deeds, victims } from './events.ts';

export interface ChaosFigures {
  readonly seed: number;
  readonly kills: number;
  readonly cells: number;
  readonly hosts: number;
  readonly artifacts: number;
  /** Whether the digests with one worker, and with four that were disturbed, are those in a folder. */
  readonly equal: { readonly one: boolean; readonly four: boolean };
  readonly seconds: { readonly folder: number; readonly one: number; readonly four: number };
  /** Finished steps of the disturbed study, those that took more than one attempt, and the most attempts of one. */
  readonly attempts: { readonly steps: number; readonly again: number; readonly most: number };
  readonly events: readonly (ChaosEvent & { readonly times: number })[];
  readonly leftOver: readonly string[];
}

const docs = path.join(import.meta.dirname, '..', '..', 'docs');
const page = path.join(docs, 'reliability.md');
const figuresFile = path.join(docs, 'reliability', 'chaos.json');
const begin = '<!-- Written by `node test/cluster/chaos.ts --write`. -->';
const end = '<!-- End of what was written. -->';

/** How often each kind of event is among them, in the order of the victims. */
export function countEvents(events: readonly ChaosEvent[]): ChaosFigures['events'] {
  const order: readonly string[] = [...victims, 'database', 'disk of a host', 'host'];
  const kinds = Map.groupBy(events, ({ deed, victim }) => `${deed} ${victim}`);
  return [...kinds.values()]
    .map((same) => ({ ...same[0]!, times: same.length }))
    .sort((a, b) => order.indexOf(a.victim) - order.indexOf(b.victim) || (a.deed < b.deed ? -1 : 1));
}

export function formatChaos({ events, equal, seconds, attempts, ...figures }: ChaosFigures): string {
  const { cells, hosts, artifacts, seed, leftOver } = figures;
  const same = (isSame: boolean): string => (isSame ? 'all equal' : 'NOT all equal');
  const all = events.reduce((sum, { times }) => sum + times, 0);
  return [
    `| ${cells} cells, seed ${seed} | time | ${artifacts} artifacts |`,
    '| --- | --- | --- |',
    `| undisturbed, in a folder | ${seconds.folder} s | |`,
    `| undisturbed, on S3, one worker | ${seconds.one} s | ${same(equal.one)} |`,
    `| disturbed, on S3, ${hosts} workers | ${seconds.four} s | ${same(equal.four)} |`,
    '',
    '| what was done | to | times |',
    '| --- | --- | --- |',
    ...events.map(({ deed, victim, times }) => `| ${deeds[deed]} | ${victim} | ${times} |`),
    `| | in all | ${all} |`,
    '',
    `Of ${attempts.steps} steps ${attempts.again} were tried more than once, one of them ${attempts.most} times. Left over: ${leftOver.length === 0 ? 'nothing' : leftOver.join('; ')}.`,
  ].join('\n');
}

/** The figures that the page has its tables from. */
export function readChaos(): ChaosFigures {
  return JSON.parse(readFileSync(figuresFile, 'utf8')) as ChaosFigures;
}

/** The page with the tables of these figures. */
export function pageWith(figures: ChaosFigures): string {
  return putBetween(readFileSync(page, 'utf8'), begin, end, `\n\n${formatChaos(figures)}\n\n`);
}

export function writeChaos(figures: ChaosFigures): void {
  mkdirSync(path.dirname(figuresFile), { recursive: true });
  writeFileSync(figuresFile, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeFileSync(page, pageWith(figures));
}
