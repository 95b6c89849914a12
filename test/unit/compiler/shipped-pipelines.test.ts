import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, type Plan } from '../../../compiler/index.ts';
import { createModel, type ModelSpec } from '../../../science/models/index.ts';

const folder = new URL('../../../pipelines/', import.meta.url);
const pipelines = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));
const sized = pipelines.filter(({ text }) => /^ {2}size: small$/m.test(text));

const planOf = ({ file, text }: { file: string; text: string }, overrides: Record<string, string> = {}) =>
  compile(text, { file: `pipelines/${file}`, overrides });
const stageOf = (plan: Plan, uses: string) => plan.cells[0]!.stages.find((stage) => stage.uses === uses);

test.each(pipelines)('$file compiles without a warning and says in its comment how it is run', (pipeline) => {
  const { plan, warnings } = planOf(pipeline);
  expect(warnings).toEqual([]);
  expect(`${plan.name}.yaml`).toBe(pipeline.file);
  expect(pipeline.text).toMatch(
    /^# yaml-language-server: \$schema=\.\.\/schemas\/pipeline\.schema\.json\n#\n# [A-Z]/,
  );
});

describe.each(sized)('$file', (pipeline) => {
  test('has a published size', () => {
    const { plan, warnings } = planOf(pipeline, { size: 'paper' });
    expect(warnings).toEqual([]);
    expect(plan.cells.length).toBeGreaterThan(0);
  });

  test.runIf(pipeline.text.includes('params.sizes[params.size]'))(
    'takes no size that it does not have',
    () => {
      expect(() => planOf(pipeline, { size: 'papr' })).toThrow('papr');
    },
  );

  test('says what to expect', () => {
    expect(pipeline.text).toMatch(/^# Expect/m);
    expect(pipeline.text).toContain(`run pipelines/${pipeline.file}`);
  });
});

test("the published size of figures 17 to 19 is the paper's", () => {
  const { plan } = planOf(sized.find(({ file }) => file === 'fig17-19-lenet.yaml')!, { size: 'paper' });
  expect(stageOf(plan, 'dataset')!.with).toMatchObject({ name: 'cifar10', examples: 50_000 });
  const train = stageOf(plan, 'train')!.with;
  expect(train).toMatchObject({
    ...{ epochs: 100, batchSize: 50, l2: 1e-4, sampling: 'without-replacement' },
    optimizer: {
      ...{ learningRate: 0.005, momentum: 0.9 },
      schedule: { name: 'exponential', decay: 0.98 },
    },
    model: { initialization: 'glorot-normal' },
  });
  expect(createModel(train.model as unknown as ModelSpec, [32, 32, 3], 10).size).toBe(136_886);
  expect(stageOf(plan, 'record')!.with).toMatchObject({ epochs: 20, warmup: 0 });
  expect(stageOf(plan, 'hessian')!.with).toMatchObject({ top: 5000 });
});
