import { describe, expect, it, test } from 'vitest';
import { digestOf } from '../../../../compiler/plan/recipe.ts';
import { stepOf } from '../../../../compiler/plan/step-key.ts';
import { fillWith, schemas } from '../../../../compiler/schema/schemas.ts';
import { stageKinds } from '../../../../compiler/schema/stage-kinds.ts';
import { createModel, type ModelSpec } from '../../../../science/models/index.ts';
import { edit, planOf, tiny } from '../pipelines.ts';

const artifact = (kind: string) => ({ sha256: 'a'.repeat(64), uri: 'file:///x', kind, bytes: 1 });
const optimizer = { name: 'sgd', learningRate: 0.1 };
const models = [
  { name: 'linear' },
  { name: 'mlp' },
  { name: 'lenet' },
  { name: 'resnet20' },
  { name: 'transformer' },
  { name: 'transformer', width: 12 },
  { name: 'custom', layers: [{ kind: 'flatten' }] },
  {
    name: 'custom',
    activation: 'tanh',
    layers: [
      { kind: 'conv', filters: 2, size: 3 },
      { kind: 'pool', size: 2 },
      { kind: 'flatten' },
      { kind: 'dense', units: 3 },
    ],
  },
];

/** For each stage kind, what a pipeline has to say of it, and more of what has defaults of its own. */
const least: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  dataset: [{ name: 'mnist-digits' }, { name: 'gaussian-mixture', examples: 10, testExamples: 10 }],
  train: [
    ...models.map((model) => ({ data: artifact('dataset'), model, epochs: 1, batchSize: 5, optimizer })),
    ...[
      { decay: 0.9 },
      { schedule: { name: 'cosine' } },
      { schedule: { name: 'steps', steps: [{ afterEpoch: 1, factor: 0.5 }] } },
    ].map((rate) => ({
      ...{ data: artifact('dataset'), model: { name: 'mlp' }, epochs: 1, batchSize: 5 },
      optimizer: { ...optimizer, ...rate },
    })),
  ],
  checkpoint: [{ of: artifact('states'), epoch: 1 }],
  curvature: [{ at: artifact('states') }],
  layers: [{ at: artifact('state') }],
  record: [{ from: artifact('state'), epochs: 1 }],
  hessian: [
    { at: artifact('state'), top: 3 },
    { at: artifact('state'), top: 3, trace: { probes: 2 }, density: { probes: 1, steps: 3 } },
  ],
  project: [{ trajectory: artifact('trajectory'), basis: artifact('eigenpairs') }],
  analyze: [{ series: artifact('series') }],
  displacement: [{ series: artifact('series') }],
  fit: [{ spectrum: artifact('spectrum') }],
  noise: [
    { from: artifact('state'), epochs: 1 },
    { data: artifact('dataset'), model: { name: 'mlp' }, batchSize: 5, epochs: 1 },
  ],
  toy: [
    { loss: { name: 'quadratic', eigenvalues: [1] }, learningRate: 0.1, epochs: 1 },
    { loss: { name: 'quadratic', range: { from: 0.1, to: 1, count: 3 } }, learningRate: 0.1, epochs: 1 },
    { loss: { name: 'valley' }, learningRate: 0.1, epochs: 1 },
  ],
  evaluate: [{ state: artifact('state'), data: artifact('dataset') }],
  pca: [{ trajectory: artifact('trajectory'), at: artifact('state'), components: 2 }],
  collect: [{ table: artifact('parameters') }],
};

function filled(uses: string, withs: unknown): Record<string, unknown> {
  const copy = structuredClone(withs) as Record<string, unknown>;
  expect(fillWith(uses, copy as never).errors, JSON.stringify(withs)).toEqual([]);
  return copy;
}

/** All ways to write out one default more: `partial` with one key, at any depth, that only `whole` has. */
function* oneMore(partial: unknown, whole: unknown): Generator<unknown> {
  if (Array.isArray(whole) && Array.isArray(partial)) {
    for (const [index, item] of whole.entries())
      for (const more of oneMore(partial[index], item))
        yield partial.map((own: unknown, i) => (i === index ? more : own));
    return;
  }
  if (typeof whole !== 'object' || whole === null || typeof partial !== 'object' || partial === null) return;
  for (const [key, value] of Object.entries(whole)) {
    const own = partial as Record<string, unknown>;
    if (!(key in own)) yield { ...own, [key]: value };
    else for (const more of oneMore(own[key], value)) yield { ...own, [key]: more };
  }
}

test('every stage kind is looked at', () => {
  expect(Object.keys(least).sort()).toEqual(Object.keys(stageKinds).sort());
});

describe.each(Object.entries(least))('a default of %s', (uses, all) => {
  it.each(all.map((withs) => [JSON.stringify(withs), withs] as const))(
    'that is written out changes no step key: %s',
    (_text, withs) => {
      const { version, compute } = stageKinds[uses]!;
      const whole = filled(uses, withs);
      const key = (settings: unknown) =>
        stepOf({ uses, version, with: settings, inputs: {}, ...(compute ? { threads: 1 } : {}) }).key;
      for (const more of [...oneMore(withs, whole), whole]) {
        const copy = structuredClone(more);
        // A schedule beside the `decay` that is short for it is refused, not taken for another setting.
        if (fillWith(uses, copy as never).errors.length > 0)
          expect(JSON.stringify(more)).toMatch(/"decay":0\.9,.*"schedule"/);
        else expect(key(copy), JSON.stringify(more)).toBe(key(whole));
      }
    },
  );
});

it('defaults that the texts of the schemas name are in the schemas', () => {
  const mlp = filled('train', { ...least.train![1]!, model: { name: 'mlp' } });
  expect(mlp).toMatchObject({
    model: { hidden: [64], activation: 'relu', initialization: 'glorot-normal' },
    optimizer: { schedule: { name: 'constant' }, momentum: 0 },
  });
  expect(filled('hessian', { at: artifact('state'), top: 7 })).toMatchObject({ maxIterations: 340 });
});

it('noise of fresh weights, and where a toy starts, have their defaults in the schemas too', () => {
  const [trained, fresh] = least.noise!;
  const settings = ['sampling', 'loss', 'l2', 'standardize', 'seed'];
  expect(Object.keys(filled('noise', trained))).not.toEqual(expect.arrayContaining(settings));
  expect(filled('noise', fresh)).toMatchObject({
    ...{ sampling: 'without-replacement', loss: 'cross-entropy', l2: 0, standardize: 'per-image', seed: 0 },
  });
  const starts = least.toy!.map((toy) => filled('toy', toy).start as number[]);
  expect(starts.slice(0, 2)).toEqual([[0], [0, 0, 0]]);
  expect(starts[2]).toHaveLength(11);
  expect(Math.hypot(...starts[2]!.slice(0, 10))).toBeCloseTo(1, 12);
  expect(starts[2]![10]).toBe(2);
});

it('a short decay is an exponential schedule', () => {
  const train = least.train![1]!;
  const key = (own: Record<string, unknown>) =>
    digestOf(filled('train', { ...train, optimizer: { ...optimizer, ...own } }));
  expect(key({ decay: 0.9 })).toBe(key({ schedule: { name: 'exponential', decay: 0.9 } }));
  expect(key({ decay: 1 })).toBe(key({}));
  expect(key({ decay: 0.9 })).not.toBe(key({}));
});

it.each(models.map((model) => [JSON.stringify(model), model] as const))(
  'the defaults of the schema are those of the network: %s',
  (_text, model) => {
    const spec = filled('train', { ...least.train![0]!, model }).model as ModelSpec;
    expect(createModel(spec, [8, 8, 1], 3).spec).toEqual(spec);
    const { initialization } = spec;
    const own = createModel({ initialization, ...model } as ModelSpec, [8, 8, 1], 3);
    const built = createModel(spec, [8, 8, 1], 3);
    expect({ ...own.spec, layers: [] }).toEqual({ ...built.spec, layers: [] });
    expect(own.layout).toEqual(built.layout);
  },
);

it('a plan has them written out, so that its recipes are equal too', () => {
  const recipes = (text: string) => planOf(text).cells[0]!.stages.map(({ recipe }) => recipe);
  expect(recipes(edit(tiny, '{ name: mlp }', '{ name: mlp, hidden: [64], activation: relu }'))).toEqual(
    recipes(tiny),
  );
});

it('every schema that names a default in words alone says on what it depends', () => {
  const words = Object.entries(schemas.stages).flatMap(([uses, { properties }]) =>
    Object.entries(properties as Record<string, { default?: unknown; description?: string }>).flatMap(
      ([key, { default: value, description = '' }]) =>
        value === undefined &&
        /default/i.test(description) &&
        !/as the state|the state's|all|2 M|minimum of|2 GB|20 \* top|a tenth of/.test(description)
          ? [`${uses}.${key}`]
          : [],
    ),
  );
  expect(words).toEqual([]);
});
