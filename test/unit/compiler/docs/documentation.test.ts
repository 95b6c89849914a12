import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyTable } from '../../../../compiler/docs/docs-tables.ts';
import { compile, diagnosticCodes, figureKinds, stageKinds } from '../../../../compiler/index.ts';
import { schemas } from '../../../../compiler/schema/schemas.ts';
import { edit, errorsOf, planOf, tiny, withOf } from '../pipelines.ts';

const docs = path.join(import.meta.dirname, '..', '..', '..', '..', 'docs');
const language = readFileSync(path.join(docs, 'language.md'), 'utf8');

const read = (...names: string[]) => readFileSync(path.join(...names), 'utf8');
/** Each stage has the name of its kind, so that the examples of the figures find them. */
const everyKind = read(import.meta.dirname, '..', '..', '..', 'fixtures', 'every-kind.yaml')
  .replaceAll(/(?<=^ {2}|stages\.)quadratic\b/gm, 'toy')
  .replaceAll(/(?<=^ {2}|stages\.)walk\b/gm, 'displacement');
/** A sound pipeline with an example in it: a whole one, or what may stand for one of its parts. */
function pipelineWith(example: string): string {
  const indented = example.trimEnd().replaceAll(/^/gm, '      ');
  const [, key] = /^(\w+):/m.exec(example)!;
  switch (key) {
    case 'version':
      return example;
    case 'report':
      return everyKind + example;
    case 'model':
      return tiny.replace(/^ {6}model: .*$/m, indented);
    case 'optimizer':
      return tiny.replace(/^ {6}optimizer: .*$/m, indented);
    default:
      throw new Error(`No pipeline is known into which ${key} could be put.`);
  }
}

const examples = globSync('**/*.md', { cwd: docs }).flatMap((page) =>
  Array.from(read(docs, page).matchAll(/```yaml\n(.*?)```/gs), ([, text], n) => ({ page, n, text: text! })),
);

it.each(examples)('example $n of docs/$page is sound', ({ text }) => {
  const example = pipelineWith(text);
  expect(example).toContain(text.trim().split('\n').at(-1)!.trim());
  // Modules of one's own lie beside the example that they are of.
  const { warnings } = compile(example, { file: path.join(docs, 'own-kinds', 'example.yaml') });
  // What an example puts in the place of may have used a param.
  const own = example === text ? warnings : warnings.filter(({ code }) => code !== 'unused-param');
  expect(own).toEqual([]);
});

it('docs/own-kinds.md shows the study that it speaks of', () => {
  const study = read(docs, 'own-kinds', 'study.yaml').replace(/^#.*\n/, '');
  expect(examples.find(({ page }) => page === 'own-kinds.md')!.text).toBe(study);
});

it.each(['language.md', 'models.md', 'figures-of-a-report.md'])('docs/%s has examples', (name) => {
  expect(examples.map(({ page }) => page)).toContain(name);
});

describe('docs/figures-of-a-report.md', () => {
  const page = read(docs, 'figures-of-a-report.md');

  it('has a row and an example of each kind of figure, with its title, and its fit if it takes one', () => {
    for (const [kind, { title, shows, fit }] of Object.entries(figureKinds)) {
      expect(page).toContain(`| \`${kind}\` | ${shows} |`);
      expect(page).toContain(`| ${fit === undefined ? 'no' : `\`${fit}\``} | ${title} |`);
      expect(page).toMatch(
        new RegExp(`\\{ kind: ${kind}, from: .*${fit === undefined ? '' : 'fit: .*'} \\}`),
      );
    }
  });

  it('lists what a report has that names no figures', () => {
    const told = Array.from(page.matchAll(/^- `([a-z-]+)`: (.*)$/gm), ([, from, kinds]) =>
      kinds!.split(', ').map((kind) => `${from} ${kind.replaceAll('`', '')}`),
    ).flat();
    const { figures } = planOf(everyKind).report;
    const drawn = figures.map(({ kind, from }) => `${from.kind} ${kind}`);
    expect([...new Set(drawn)]).toEqual(told);
    expect(figures.filter(({ fit }) => fit !== undefined)).toEqual([
      expect.objectContaining({ kind: 'correlation-time', fit: { stage: 'fit', output: 'parameters' } }),
    ]);
  });
});

describe('the tables of keys', () => {
  const rowsOf = (page: string) =>
    new Map(
      Array.from(page.matchAll(/^\| `([^`|]+)` \| (.+) \| (.+) \| (.*) \|$/gm), ([, key, , fallback]) => [
        key!,
        fallback!,
      ]),
    );

  it.each([
    ['train', 'model.hidden', '`[120,84]` for lenet; `[64]` for mlp'],
    ['train', 'model.feedForward', '`4 * width` for transformer'],
    ['train', 'model.activation', '`"relu"` for custom, lenet, mlp, resnet20; `"gelu"` for transformer'],
    ['train', 'model.layers', 'required for custom'],
    ['train', 'model.layers[].stride', '`1` for conv; `size` for pool'],
    ['train', 'model.layers[].activation', '`activation` outside'],
    ['train', 'model.layers[].units', 'required'],
    ['train', 'optimizer.schedule.final', '`0`'],
    ['train', 'optimizer.schedule.steps[].afterEpoch', 'required'],
    ['hessian', 'maxIterations', '`20 * top + 200`'],
    ['hessian', 'examples', 'see meaning'],
  ])('of %s say the default of %s', (uses, key, fallback) => {
    expect(rowsOf(read(docs, 'stages', `${uses}.md`)).get(key)).toBe(fallback);
  });

  it('of the language say the defaults of a stage and of a strategy', () => {
    const rows = rowsOf(keyTable(schemas.language).join('\n'));
    expect(rows.get('strategy.maxParallel')).toBe('see meaning');
    expect(rows.get('stages.<name>.retry.attempts')).toBe('`3`');
    expect(rows.get('report.figures[].caption')).toBe('–');
  });

  /** Every key that has a default of its own anywhere in a schema, with that default or those that depend on another key. */
  function* defaultsIn(node: unknown): Generator<string> {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, property] of Object.entries((node as { properties?: object }).properties ?? {}))
      if ((property as { default?: unknown }).default !== undefined) yield name;
    const { of } = ((node as { defaults?: object }).defaults ?? {}) as { of?: object };
    for (const dependent of Object.values(of ?? {})) yield* Object.keys(dependent as object);
    for (const part of Object.values(node)) yield* defaultsIn(part);
  }

  it.each(Object.keys(stageKinds))('of %s leave no default out', (uses) => {
    const rows = [...rowsOf(read(docs, 'stages', `${uses}.md`))];
    const schema = JSON.stringify(schemas.stages[uses]);
    const all = [
      ...defaultsIn(schemas.stages[uses]),
      ...(schema.includes('model.schema') ? defaultsIn(schemas.model) : []),
    ];
    for (const name of all) {
      const told = rows.filter(([key]) => key.split('.').at(-1) === name).map(([, fallback]) => fallback);
      expect(
        told.some((fallback) => /`|required for/.test(fallback)),
        name,
      ).toBe(true);
    }
  });
});

describe('docs/language.md', () => {
  it('has an example of null that falls back to the default', () => {
    const example = /`(examples: '[^`]+)`/.exec(language)?.[1];
    const text = edit(tiny, '      name: mnist-digits\n', `      name: mnist-digits\n      ${example}\n`);
    expect(withOf(text, 'data', { size: 'paper' })).toMatchObject({ examples: 5000 });
    expect(planOf(text).cells[0]!.stages[0]!.with).not.toHaveProperty('examples');
  });

  const mistakes = Array.from(
    language.matchAll(/^\| (`[^|]+`[^|]*|a tab[^|]*) \| ([^|]+) \|$/gm),
    (match) => ({
      wrote: match[1]!,
      says: match[2]!,
    }),
  );
  const swaps: Readonly<Record<string, readonly [string, string]>> = {
    'batchsize: 10': ['batchSize: ${{ params.batchSize }}', 'batchsize: 10'],
    'data: stages.data.train': ['data: ${{ stages.data.train }}', 'data: stages.data.train'],
    '${{ matrix.seed }}': ['epochs: 3', 'epochs: ${{ matrix.batchSize }}'],
    '${{ stages.train.weights }}': ['stages.train.state', 'stages.train.weights'],
    'keep: none': [
      'epochs: 1 }\n',
      'epochs: 1, keep: none }\n' +
        '  pca: { uses: pca, with: { trajectory: "${{ stages.record.trajectory }}", at: "${{ stages.record.mean }}", components: 1 } }\n',
    ],
    'from: ${{ stages.train.history }}': ['stages.train.state', 'stages.train.history'],
    '${{ params.lr ** 2 }}': ['epochs: 3', 'epochs: ${{ params.rate ** 2 }}'],
    'a tab': ['    uses: record', '\tuses: record'],
  };

  it.each(mistakes)('says what comes of $wrote', ({ wrote, says }) => {
    const [from, to] = Object.entries(swaps).find(([mistake]) => wrote.includes(mistake))?.[1] ?? [];
    expect(from, `a pipeline with the mistake ${wrote}`).toBeDefined();
    const [first] = errorsOf(edit(tiny, from!, to!));
    const said = `${first!.message}. ${first!.cure}`.replaceAll('`', '');
    // The names of the example differ; what stands in code and is no name of it has to be said.
    for (const [, code] of says.matchAll(/`([^`]+)`/g))
      if (!/^params\.seed$|^\$\{\{|^from$/.test(code!)) expect(said).toContain(code);
    expect(first!.cure).toBeDefined();
  });

  it('has as many mistakes as its table has rows', () => {
    expect(mistakes.length).toBe(Object.keys(swaps).length);
  });
});

it('docs/diagnostics.md has each code with its meaning, and no other', () => {
  const table = Array.from(
    readFileSync(path.join(docs, 'diagnostics.md'), 'utf8').matchAll(/^\| `(.+?)` \| (.+) \|$/gm),
  );
  expect(Object.fromEntries(table.map(([, code, meaning]) => [code, meaning]))).toEqual(diagnosticCodes);
});
