import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isOwnModule } from '../../../../artifacts/own-module.ts';
import { compile, figureKinds, PipelineError, stageKinds } from '../../../../compiler/index.ts';
import { schemas } from '../../../../compiler/schema/schemas.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'epochal-own-'));
  mkdirSync(path.join(folder, 'kinds'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const beside = {
  net: {
    kind: 'model',
    description: 'a net',
    options: { width: { type: 'integer', minimum: 1, default: 3, description: 'W.' } },
  },
  set: { kind: 'dataset', description: 'a set', options: { depth: { type: 'integer', description: 'D.' } } },
  step: {
    kind: 'stage',
    type: 'object',
    additionalProperties: false,
    required: ['state'],
    properties: { state: { artifact: 'state' }, share: { type: 'number', maximum: 1, default: 0.5 } },
    stage: { version: 7, outputs: { state: 'state' } },
  },
  plot: { kind: 'figure', title: 'P', shows: 'S.', of: 'train', from: 'history' },
};

function write(files: Readonly<Record<string, unknown>> = beside): void {
  for (const [name, schema] of Object.entries(files)) {
    const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
    writeFileSync(path.join(folder, 'kinds', `${name}.schema.json`), text);
  }
}

const text = `version: 1
name: own
stages:
  data: { uses: dataset, with: { name: ./kinds/set.ts, depth: 2 } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: ./kinds/net.ts }
      epochs: 1
      batchSize: 5
      optimizer: { name: sgd, learningRate: 0.1 }
  step: { uses: ./kinds/step.ts, with: { state: "\${{ stages.train.state }}" } }
report:
  figures: [{ kind: ./kinds/plot.ts, from: "\${{ stages.train.history }}" }]
`;
const compiled = (source: string) => compile(source, { file: path.join(folder, 'own.yaml') });

function errorsOf(source: string) {
  try {
    compiled(source);
  } catch (error) {
    if (error instanceof PipelineError) return error.diagnostics;
    throw error;
  }
  return [];
}

describe('modules of one’s own', () => {
  it('are kinds like any other: defaults, versions, outputs and figures come of the schemas beside them', () => {
    write();
    const { plan } = compiled(text);
    const [data, train, step] = plan.cells[0]!.stages;
    expect(data!.with).toEqual({ name: './kinds/set.ts', depth: 2, seed: 0 });
    expect(train!.with.model).toEqual({
      ...{ name: './kinds/net.ts', width: 3, initialization: 'glorot-normal' },
    });
    expect(step).toMatchObject({ uses: './kinds/step.ts', version: 7, with: { share: 0.5 } });
    expect(plan.report.figures).toMatchObject([{ kind: './kinds/plot.ts', from: { kind: 'history' } }]);
  });

  it('are known to the pipeline that names them, and to no other', () => {
    write();
    const before = [Object.keys(stageKinds), Object.keys(figureKinds), structuredClone(schemas.model)];
    compiled(text);
    expect(errorsOf(text.replace('depth', 'depths'))).toHaveLength(1);
    expect([Object.keys(stageKinds), Object.keys(figureKinds), schemas.model]).toEqual(before);
  });

  it.each([
    ['an option that is none', 'depth: 2', 'depths: 2', /unknown key `depths`/, /did you mean `depth`/],
    [
      'a missing option',
      'name: ./kinds/set.ts, depth: 2',
      'name: ./kinds/set.ts',
      /lacks `depth`/,
      /add `depth/,
    ],
    [
      'an option of another',
      'name: ./kinds/net.ts',
      'name: mlp, width: 4',
      /no `width` for this network/,
      /remove/,
    ],
    [
      'a value out of bounds',
      'train.state }}" }',
      'train.state }}", share: 2 }',
      /a number of at most 1, got 2/,
      undefined,
    ],
    ['another artifact', 'stages.train.state }}', 'stages.train.history }}', /state/, undefined],
    [
      'a module without a schema',
      './kinds/net.ts',
      './kinds/nets.ts',
      /kinds\/nets.schema.json is not there/,
      /did you mean `\.\/kinds\/net\.ts`/,
    ],
    [
      'a module in no folder',
      './kinds/net.ts',
      './none/thing.ts',
      /none\/thing.schema.json is not there/,
      /write it beside/,
    ],
    [
      'a module elsewhere',
      './kinds/net.ts',
      '../kinds/net.ts',
      /expected one of .*got the text "\.\.\/kinds\/net\.ts"/,
      undefined,
    ],
    [
      'a model as a stage',
      'uses: ./kinds/step.ts',
      'uses: ./kinds/net.ts',
      /no stage kind `\.\/kinds\/net\.ts`/,
      /stage kinds: /,
    ],
  ])('%s is told at its place', (_what, from, to, message, cure) => {
    write();
    expect(text).toContain(from);
    const [first] = errorsOf(text.replace(from, to));
    expect(first!.message).toMatch(message);
    if (cure !== undefined) expect(first!.cure).toMatch(cure);
    expect(first!.line).toBe(1 + text.slice(0, text.indexOf(from)).split('\n').length - 1);
  });

  it.each([
    ['no JSON', '{', /is no JSON/],
    ['no kind', {}, /does not say of what kind/],
    [
      'an option without words',
      { ...beside.net, options: { width: { type: 'integer' } } },
      /at options\.width: .*description/,
    ],
    [
      'a stage that writes what is nothing',
      { ...beside.step, stage: { version: 1, outputs: { x: 'nothing' } } },
      /at stage\.outputs\.x/,
    ],
    ['a stage with a keyword that is none', { ...beside.step, propertys: {} }, /not sound: .*propertys/],
  ])('a schema that is %s is one error, and its own', (_what, schema, message) => {
    write({ ...beside, net: schema });
    const errors = errorsOf(text);
    expect(errors).toHaveLength(1);
    expect(errors[0]!.message).toMatch(message);
    expect(errors[0]!.code).toBe('wrong-module');
  });

  it('are never run to be compiled', () => {
    write();
    const ran = path.join(folder, 'ran');
    for (const name of Object.keys(beside))
      writeFileSync(
        path.join(folder, 'kinds', `${name}.ts`),
        `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(ran)}, '');\n`,
      );
    compiled(text);
    expect(() => rmSync(ran)).toThrow(/ENOENT/);
  });
});

it.each([
  ['./a.ts', true],
  ['./kinds/my-net.mts', true],
  ['./kinds/../a.ts', false],
  ['../a.ts', false],
  ['/a.ts', false],
  ['a.ts', false],
  ['./a.json', false],
  ['./.hidden/a.ts', false],
  ['./a\u0000.ts', false],
  ['./kinds//a.ts', false],
  ['file:./a.ts', false],
])('%j is a module: %s', (name, is) => {
  expect(isOwnModule(name)).toBe(is);
});
