/** In a copy of the program: a network, a data set, a figure and a store are each added as one file, and nothing else is touched but what is generated. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finished, freshHome, root } from '../epochal.ts';

const run = promisify(execFile);
const { home, remove } = freshHome();
const copy = join(home, 'copy');

const added = {
  'science/models/kinds/two-layers.ts': `
import { count } from '../../options.ts';
import { activationOption, modelKind } from '../kind.ts';
import { denseStack, flatten, sequence } from '../layers.ts';

export const model = modelKind({
  name: 'two-layers',
  description: 'one hidden layer',
  options: {
    units: count({ default: 5, description: 'Width of the hidden layer.' }),
    activation: activationOption('tanh'),
  },
  build({ units, activation }, { imageShape, classes }, parameters) {
    const pixels = imageShape[0] * imageShape[1] * imageShape[2];
    return sequence(flatten, denseStack(parameters, [pixels, units, classes], activation));
  },
});
`,
  'datasets/kinds/stripes.ts': `
import { count } from '../../science/options.ts';
import { datasetKind } from '../kind.ts';
import { type LabelledImages, numberedClasses } from '../labelled-images.ts';

const part = (examples: number, side: number): LabelledImages => ({
  images: Uint8Array.from({ length: examples * side * side }, (_, i) => {
    const [example, row] = [Math.floor(i / (side * side)), Math.floor(i / side) % side];
    return example % 2 === 0 ? (row % 2) * 200 : (i % 2) * 200;
  }),
  labels: Int32Array.from({ length: examples }, (_, example) => example % 2),
  shape: [side, side, 1],
  classes: 2,
  classNames: numberedClasses(2),
});

export const dataset = datasetKind({
  name: 'stripes',
  description: 'stripes across and along',
  options: { side: count({ default: 4, maximum: 64, description: 'Pixels along a side.' }) },
  size: ({ side }) => ({ shape: [side, side, 1], classes: 2, train: 40, test: 10 }),
  sources: async () => ({}),
  load: async ({ side }) => ({ train: part(40, side), test: part(10, side), description: 'stripes', notes: [] }),
});
`,
  'report/figures/kinds/loss-only.ts': `
import { type CellTable, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';

const points = (cell: CellTable) =>
  [...column(cell, 'train_loss')].map((loss, epoch) => ({ epoch, loss }));

export const figure: CellFigure = {
  name: 'loss-only',
  title: 'Loss alone',
  shows: 'The loss after each epoch.',
  of: 'train',
  from: 'history',
  byDefault: 9,
  scope: 'cell',
  draw: ({ cells }) => ({
    spec: {
      width: 300,
      height: 200,
      data: { values: cells.flatMap(points) },
      mark: 'line',
      encoding: {
        x: { field: 'epoch', type: 'quantitative' },
        y: { field: 'loss', type: 'quantitative' },
      },
    },
    legend: [],
  }),
  caption: () => ['Nothing but the loss.'],
};
`,
  'artifacts/store/kinds/beside.ts': `
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StoreKind } from '../kind.ts';
import { openLocalStore } from '../local-store.ts';

const folderOf = (uri: string) => join(process.env.STORES_BESIDE ?? '', new URL(uri).hostname);

export const store: StoreKind = {
  scheme: 'beside',
  description: 'a folder in STORES_BESIDE',
  uriOf: (uri) => pathToFileURL(folderOf(uri)).href,
  open: (uri) => openLocalStore(folderOf(uri)),
};
`,
};

const pipeline = `version: 1
name: added
stages:
  data: { uses: dataset, with: { name: stripes, side: 6 } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: two-layers, units: 3 }
      epochs: 2
      batchSize: 10
      optimizer: { name: sgd, learningRate: 0.1 }
report:
  figures:
    - { kind: loss-only, from: "\${{ stages.train.history }}" }
`;

beforeAll(() => {
  mkdirSync(copy);
  for (const name of readdirSync(root))
    if (!['node_modules', 'test', 'bench'].includes(name) && !name.startsWith('.'))
      cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const [name, text] of Object.entries(added)) writeFileSync(join(copy, name), text);
  writeFileSync(join(home, 'added.yaml'), pipeline);
});
afterAll(remove);

async function inCopy(program: string, ...args: string[]): Promise<Finished> {
  const environment = { EPOCHAL_HOME: join(home, 'home'), STORES_BESIDE: home, NO_COLOR: '1' };
  const options = { cwd: copy, env: { ...process.env, ...environment } };
  try {
    return { code: 0, ...(await run(process.execPath, [program, ...args], options)) };
  } catch (error) {
    return error as unknown as Finished;
  }
}
const epochal = (...args: string[]) => inCopy('cli/epochal.mjs', ...args);

test('one file each is a network, a data set, a figure and a store', async () => {
  const forgotten = await inCopy('schemas/generate.ts', '--check');
  expect(forgotten.stderr).toMatch(/^Not up to date: .*run `npm run generate`/);
  expect(await inCopy('schemas/generate.ts')).toMatchObject({ code: 0, stderr: '' });
  expect(await inCopy('schemas/generate.ts', '--check')).toMatchObject({ code: 0, stderr: '' });
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  expect(await inCopy(tsc, '--noEmit')).toMatchObject({ code: 0, stdout: '' });

  // Types, docs, editors.
  expect(readFileSync(join(copy, 'schemas', 'types.ts'), 'utf8')).toMatch(/units\?: number/);
  expect(readFileSync(join(copy, 'docs', 'stages', 'train.md'), 'utf8')).toMatch(
    /model\.units.*`5` for two-layers/,
  );
  expect(readFileSync(join(copy, 'docs', 'models.md'), 'utf8')).toMatch(
    /`two-layers` \| one hidden layer \| `units: 5`/,
  );
  const figures = readFileSync(join(copy, 'docs', 'figures-of-a-report.md'), 'utf8');
  expect(figures).toContain('| `loss-only` | The loss after each epoch. |');
  expect(readFileSync(join(copy, 'schemas', 'pipeline.schema.json'), 'utf8')).toContain('"stripes"');

  // Defaults, and what others do not have.
  const { stdout } = await epochal('plan', join(home, 'added.yaml'), '--json');
  const [data, train] = JSON.parse(stdout).plan.cells[0].stages;
  expect(data.with).toMatchObject({ name: 'stripes', side: 6 });
  expect(train.with.model).toEqual({
    ...{ name: 'two-layers', units: 3, activation: 'tanh', initialization: 'glorot-normal' },
  });
  const wrong = join(home, 'wrong.yaml');
  writeFileSync(wrong, pipeline.replace('two-layers, units', 'mlp, units').replace('side: 6', 'sides: 6'));
  const refused = await epochal('validate', wrong);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/no `units` for this network: only two-layers has it/);
  expect(refused.stderr).toMatch(/unknown key `sides`[\s\S]*did you mean `side`/);

  // And it runs.
  const {
    code,
    stderr,
    stdout: said,
  } = await epochal('run', join(home, 'added.yaml'), '--store', 'beside://kept');
  expect(`${stderr}${said}`).toMatch(/succeeded/);
  expect(code).toBe(0);
  expect(existsSync(join(home, 'kept', 'steps'))).toBe(true);
  const report = await epochal('report', 'added', '--store', 'beside://kept');
  expect(report.code, report.stderr).toBe(0);
  const page = /\S+report\.html/.exec(report.stdout)![0];
  expect(readFileSync(page, 'utf8')).toContain('Nothing but the loss.');
});
