import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { findMetadata } from '../artifacts/arrow/metadata.ts';
import { isOfNetwork } from '../artifacts/arrow/training-context.ts';
import { openStore } from '../artifacts/store/open-store.ts';
import type { Provenance } from '../artifacts/store/step.ts';
import type { Store } from '../artifacts/store/store.ts';
import type { Json, Plan } from '../compiler/plan.ts';
import { formatCount, formatDuration } from '../report/numbers.ts';
import { readStudy, type Study } from '../report/read-study.ts';
import { createModel, type ModelSpec } from '../science/models/index.ts';
import { type Picture, sectionOf } from './figure-section.ts';
import { type LeftoverOrigin, originTable } from './leftover-origin.ts';

const introduction = `# Results

What the commands below gave, at the published size or at the largest that two cores allow in hours. The page is written by \`npm run results\` from the records and the
small artifacts in [kept](kept), and no number on it was typed in but those that say "published". Check them with \`npx epochal verify --store docs/results/kept/NAME\`.

Images of CIFAR-10 came from files that had been compressed again (JPEG, quality of about 75, 4:2:0), so that results are not comparable digit for digit with those of the original
images. Times are wall times of stages, on a machine that had other work too.
`;

/** Folder of a kept study. */
export function keptFolder(folder: string, name: string): string {
  return join(folder, 'kept', name);
}

/** The studies that are kept, in the order of their names. */
export async function keptNames(folder: string): Promise<string[]> {
  const entries = await readdir(join(folder, 'kept'), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The page of all kept studies. */
export async function resultsPage(
  folder: string,
): Promise<{ readonly markdown: string; readonly pictures: readonly Picture[] }> {
  const pictures: Picture[] = [];
  const sections: string[] = [];
  for (const name of await keptNames(folder)) {
    const store = await openStore(keptFolder(folder, name));
    const [studyId] = await store.listFolder('studies');
    const study = await readStudy(store, studyId!);
    const place = { name, folder: '', command: commandOf(study.plan), theoryPage: '../theory.md' };
    const section = await sectionOf({ ...place, facts: await factsOf(store, study) }, store, study);
    pictures.push(...section.pictures);
    sections.push(section.markdown);
  }
  const origin = await originSection(folder);
  return {
    markdown: `${[introduction, ...sections, ...origin].map((part) => part.trim()).join('\n\n')}\n`,
    pictures,
  };
}

/** Where the noise that is left over comes from, if that has been measured. */
async function originSection(folder: string): Promise<string[]> {
  const text = await readFile(originFile(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const { pipeline, cells } = JSON.parse(text) as { pipeline: string; cells: LeftoverOrigin[] };
  return [
    `## Where the noise that is left over comes from

The share r of an epoch's noise that does not cancel, [predicted](../theory.md#where-it-comes-from) from how the gradients of the examples change while the weights move within an epoch,
beside what was found in the recorded weights at low frequencies (\`noise_leftover_share\`) and in sums over single epochs (\`noise_epoch_share\`). Means over neighbouring directions; cells
of [${pipeline}](../../pipelines/${pipeline}.yaml), made by \`npm run results -- origin STUDY\`.

${originTable(cells)}
`,
  ];
}

/** What \`npm run results -- origin\` has measured. */
export function originFile(folder: string): string {
  return join(folder, 'leftover-origin.json');
}

/** The command that a plan was made by: its pipeline, and the params that are not those of the file. Where data lay is nobody's business: `DIR`. */
export function commandOf({ name, params, source }: Pick<Plan, 'name' | 'params' | 'source'>): string {
  const written = (parse(source.text) as { params?: Record<string, Json> }).params ?? {};
  const isPlain = (value: Json) => value === null || typeof value !== 'object';
  const set = Object.entries(params).filter(
    ([param, value]) =>
      isPlain(value) &&
      value !== written[param] &&
      !(typeof written[param] === 'string' && written[param].includes('${{')),
  );
  const options = set.map(([param, value]) => ` --set ${param}=${param === 'data' ? 'DIR' : String(value)}`);
  return `npx epochal run pipelines/${name}.yaml${options.join('')}`;
}

/** What it was computed on: data, network, recording, eigenpairs; and how long each kind of stage took on which machine. */
async function factsOf(store: Store, study: Study): Promise<string[]> {
  const cells = study.plan.cells.map(({ stages }) => stages);
  const uses = (kind: string) => cells.flatMap((stages) => stages.filter((stage) => stage.uses === kind));
  const [data] = uses('dataset');
  const facts = [
    ...(data === undefined ? [] : [`${String(data.with.name)}: ${examplesIn(data.with)}`]),
    ...(await networkOf(store, study)),
    ...distinct(uses('record').map(({ with: { epochs } }) => `${Number(epochs)} epochs recorded`)),
    ...distinct(
      uses('hessian').map(
        ({ with: { top, examples } }) =>
          `${formatCount(Number(top))} eigenpairs over ${examples === undefined ? 'all' : `the first ${formatCount(Number(examples))}`} examples`,
      ),
    ),
    ...(cells.length > 1 ? [`${cells.length} cells`] : []),
  ];
  return [`On ${facts.join('; ')}.`, ...timesOf(study)];
}

function examplesIn({ examples, testExamples }: { readonly [key: string]: Json }): string {
  const count = (value: Json | undefined) => (typeof value === 'number' ? formatCount(value) : 'all');
  return `${count(examples)} training and ${count(testExamples)} test examples`;
}

/** The networks and their weights, of which artifacts that are kept tell. */
async function networkOf(store: Store, { cells }: Study): Promise<string[]> {
  const kinds = ['spectrum', 'history', 'evaluation'];
  const refs = [...cells.values()].flatMap(({ stages }) =>
    Object.values(stages).flatMap(({ outputs }) => Object.values(outputs)),
  );
  const told: string[] = [];
  for (const ref of refs.filter(({ kind }) => kinds.includes(kind))) {
    const training = findMetadata(await store.describe(ref), 'training');
    if (training === undefined || !isOfNetwork(training)) continue;
    const { model, imageShape, classes } = training;
    told.push(
      `${model.name} with ${formatCount(createModel(model as ModelSpec, imageShape, classes).size)} weights`,
    );
  }
  return distinct(told);
}

function timesOf({ plan, steps }: Study): string[] {
  const records = [...steps.values()];
  if (records.length === 0) return [];
  const kinds = distinct(plan.cells.flatMap(({ stages }) => stages.map(({ uses }) => uses)));
  const times = kinds.flatMap((kind) => {
    const own = records.filter(({ uses }) => uses === kind);
    const seconds = own.reduce((sum, { provenance }) => sum + provenance.seconds, 0);
    return seconds < 1 ? [] : [`${kind} ${formatDuration(seconds)}`];
  });
  const machines = distinct(records.map(({ provenance }) => machineOf(provenance)));
  return [`Took ${times.join(', ')} on ${machines.join(' / ')}.`];
}

function machineOf({ cpu, backend, library, gpu }: Provenance): string {
  return `${[cpu, gpu].filter((part) => part !== undefined).join(', ')} (${backend === 'none' ? 'without a library' : `${backend} ${library}`})`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
