import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { stageKinds } from '../../compiler/index.ts';
import { datasetKinds } from '../../datasets/kinds/index.ts';
import type { Optimizer, ToyLoss, ToyNoise, ToyWith, TrainWith } from '../../schemas/types.ts';
import { modelKinds } from '../../science/models/kinds/index.ts';
import { steadyDigests } from '../fixtures/digests/artifact-digests.ts';
import { planDigests } from '../fixtures/digests/plan-digests.ts';
import { smallPlans } from '../fixtures/digests/small-plans.ts';
import { storeOfThisFile } from '../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
const file = path.join(import.meta.dirname, '..', 'fixtures', 'digests', 'expected.json');
const expected = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;

/** What the small pipelines must have among them; a new one is missing here until a pipeline has it. */
const networks = modelKinds.map(({ name }) => name);
const needFiles = ['mnist', 'cifar10', 'image-folder'];
const datasets = datasetKinds.map(({ name }) => name).filter((name) => !needFiles.includes(name));
const toys: Record<ToyLoss['name'], true> = { quadratic: true, valley: true };
const noises: Record<ToyNoise['name'], true> = {
  examples: true,
  white: true,
  'anti-correlated': true,
  none: true,
};
const schedules: Record<NonNullable<Optimizer['schedule']>['name'], true> = {
  constant: true,
  exponential: true,
  steps: true,
  cosine: true,
};
const samplings: Record<TrainWith['sampling'], true> = {
  'without-replacement': true,
  'shuffle-once': true,
  'with-replacement': true,
  sequential: true,
  'block-reshuffling': true,
  'paired-reversal': true,
};

type Settings = Partial<
  Omit<TrainWith, 'loss'> & Omit<ToyWith, 'loss'> & { readonly loss: string | ToyLoss }
>;

/** Each digest that is another than the expected one, in words. */
function moved(found: Readonly<Record<string, string>>, held: Readonly<Record<string, string>>): string[] {
  const names = [...new Set([...Object.keys(held), ...Object.keys(found)])];
  return names
    .filter((name) => found[name] !== held[name])
    .map(
      (name) =>
        `${name}: was ${held[name]?.slice(0, 12) ?? 'not there'}, is ${found[name]?.slice(0, 12) ?? 'gone'}`,
    );
}

/**
 * What a pipeline means must not change unnoticed: with another step key everything is computed anew, and with another result under the same key
 * what is in the stores is wrong. If it was meant to change, give the stage kind a new `version` where its results are others, and renew the
 * digests: `node test/digests.ts --renew`.
 */
describe('small pipelines', () => {
  test('have every stage kind, network, toy, schedule and sampling, and each data set without files', () => {
    const stages = smallPlans.flatMap(({ cells, collect }) => [
      ...cells.flatMap((cell) => cell.stages),
      ...collect,
    ]);
    expect(new Set(stages.map(({ uses }) => uses))).toEqual(new Set(Object.keys(stageKinds)));
    const withs = stages.map((stage) => ('with' in stage ? stage.with : {})) as Settings[];
    const names = (of: (settings: (typeof withs)[number]) => string | undefined) =>
      new Set(withs.map(of).filter((name) => name !== undefined));
    expect(names(({ model }) => model?.name)).toEqual(new Set(networks));
    expect(names(({ loss }) => (typeof loss === 'object' ? loss.name : undefined))).toEqual(
      new Set(Object.keys(toys)),
    );
    expect(names(({ noise }) => noise?.name)).toEqual(new Set(Object.keys(noises)));
    expect(names(({ optimizer }) => optimizer?.schedule?.name)).toEqual(new Set(Object.keys(schedules)));
    expect(names(({ sampling }) => sampling)).toEqual(new Set(Object.keys(samplings)));
    const loaded = stages.flatMap((stage) =>
      stage.uses === 'dataset' && 'with' in stage ? [stage.with.name] : [],
    );
    expect(new Set(loaded)).toEqual(new Set(datasets));
  });

  test('are those of which digests are held', () => {
    expect(smallPlans.map(({ name }) => name)).toEqual(Object.keys(expected));
  });

  test.each(smallPlans.map((plan) => [plan.name, plan] as const))(
    '%s has its digests',
    async (name, plan) => {
      const found = { ...(await planDigests(plan)), ...(await steadyDigests(plan, store)) };
      expect(moved(found, expected[name]!), `what moved of ${name}`).toEqual([]);
    },
  );
});
