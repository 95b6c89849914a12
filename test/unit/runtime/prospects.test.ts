import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../activities/prospect.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { StepRecord } from '../../../artifacts/store.ts';
import { fillWith } from '../../../compiler/schemas.ts';
import { knownDataset, loadDataset } from '../../../datasets/index.ts';
import { createEstimator } from '../../../runtime/estimate.ts';
import { prospectOf } from '../../../runtime/prospects.ts';
import { runStage, storeOfThisFile } from '../../fixtures/run-stage.ts';
import { specOf } from '../datasets/files.ts';

const store = await storeOfThisFile();

/** Runs stages in this process and foresees the same from their settings alone. */
class Chain {
  readonly refs: Record<string, ArtifactRef> = {};
  readonly facts: Record<string, Facts> = {};
  readonly sizes: Record<string, { foreseen: number | undefined; written: number }> = {};

  async run(uses: string, settings: Record<string, unknown>): Promise<void> {
    const withs = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [key, this.refs[value as string] ?? value]),
    );
    const { outputs } = await runStage(store, uses, withs);
    const filled = structuredClone(withs) as never;
    fillWith(uses, filled);
    const byDigest = new Map(
      Object.entries(this.refs).map(([name, { sha256 }]) => [sha256, this.facts[name]!]),
    );
    const prospect = await prospectOf(uses, filled, (digest) => byDigest.get(digest as string) ?? {});
    let written = 0;
    for (const [name, ref] of Object.entries(outputs)) {
      this.refs[`${uses}.${name}`] = ref;
      this.facts[`${uses}.${name}`] = prospect?.outputs[name] ?? {};
      written += ref.bytes;
      if (ref.kind === 'trajectory')
        for (const bytes of (await store.open(ref)).numbers('bytes')) written += bytes;
    }
    this.sizes[uses] = { foreseen: prospect?.bytes, written };
  }
}

test('the bytes that settings decide are those of the files, but for headers', async () => {
  const chain = new Chain();
  await chain.run('dataset', { name: 'mnist-digits', examples: 400, testExamples: 100 });
  const optimizer = { name: 'sgd', learningRate: 0.05 };
  await chain.run('train', {
    ...{ data: 'dataset.train', model: { name: 'mlp', hidden: [64] }, optimizer },
    ...{ epochs: 1, batchSize: 20 },
  });
  await chain.run('record', { from: 'train.state', epochs: 3 });
  await chain.run('hessian', { at: 'record.mean', top: 4, tolerance: 0.1 });
  await chain.run('project', { trajectory: 'record.trajectory', basis: 'hessian.eigenpairs' });
  for (const uses of ['dataset', 'train', 'record', 'hessian']) {
    const { foreseen, written } = chain.sizes[uses]!;
    expect(foreseen! / written, uses).toBeGreaterThan(0.98);
    expect(foreseen!, uses).toBeLessThan(written);
  }
  // 60 steps of four numbers: less than the headers, which are some kilobytes.
  const { foreseen, written } = chain.sizes.project!;
  expect(foreseen).toBe(60 * (4 * 4 + 8));
  expect(written - foreseen!).toBeLessThan(20_000);
});

test('the data sets that are always the same have the size that is told of them', async () => {
  const spec = specOf({ name: 'mnist-digits' });
  const { train, test: held } = await loadDataset(spec, '/');
  expect(knownDataset(spec)).toEqual({
    shape: train.shape,
    classes: train.classes,
    train: train.labels.length,
    test: held.labels.length,
  });
});

describe('an estimate', () => {
  const filled = (uses: string, withs: Record<string, unknown>) => {
    const copy = structuredClone(withs);
    fillWith(uses, copy as never);
    return copy;
  };
  const dataset = (examples: number) =>
    filled('dataset', { name: 'mnist-digits', examples, testExamples: 100 });
  const train = (model: Record<string, unknown>, epochs: number, data: unknown) =>
    filled('train', {
      ...{ data, model, epochs, batchSize: 20 },
      optimizer: { name: 'sgd', learningRate: 0.1 },
    });
  const sha = (digit: string) => digit.repeat(64);
  const record = (
    key: string,
    uses: string,
    withs: Record<string, unknown>,
    seconds: number,
  ): StepRecord => ({
    ...{ key: sha(key), uses, version: 1, with: withs, notes: [] },
    inputs: uses === 'dataset' ? {} : { data: sha('a') },
    outputs:
      uses === 'dataset' ? { train: { uri: 'file:///x', sha256: sha('a'), kind: 'dataset', bytes: 1 } } : {},
    provenance: { seconds } as StepRecord['provenance'],
  });

  test('grows with steps, examples and the work of the network, from a step of the same network if there is one', async () => {
    await store.writeStep(record('1', 'dataset', dataset(400), 1));
    const reference = { sha256: sha('a'), kind: 'dataset' };
    await store.writeStep(record('2', 'train', train({ name: 'mlp', hidden: [64] }, 10, reference), 11));
    await store.writeStep(record('3', 'train', train({ name: 'lenet' }, 2, reference), 41));
    const estimate = await createEstimator(store);
    const seconds = async (model: Record<string, unknown>, epochs: number, examples = 400) => {
      const facts: Facts = { examples, imageShape: [28, 28, 1], classes: 10 };
      const known = (digest: unknown) => (digest === sha('a') ? facts : {});
      return (await estimate('train', await prospectOf('train', train(model, epochs, reference), known)))
        .seconds!;
    };
    // A second is the start; the evaluation before the first epoch counts too.
    expect(await seconds({ name: 'mlp', hidden: [64] }, 10)).toBeCloseTo(11, 6);
    expect(await seconds({ name: 'mlp', hidden: [64] }, 100)).toBeGreaterThan(95);
    expect(await seconds({ name: 'mlp', hidden: [64] }, 10, 4000)).toBeCloseTo(101, 6);
    expect(await seconds({ name: 'lenet' }, 2)).toBeCloseTo(41, 6);
    expect(await seconds({ name: 'mlp', hidden: [640] }, 10)).toBeCloseTo(101, 6);
    // No step of a transformer: in proportion to its work, from the step with the most.
    expect(await seconds({ name: 'transformer', patch: 4 }, 2)).toBeGreaterThan(41);
  });

  test('is left out where nothing comparable has run', async () => {
    const estimate = await createEstimator(undefined);
    const facts: Facts = { examples: 400, imageShape: [28, 28, 1], classes: 10 };
    const prospect = await prospectOf(
      'train',
      train({ name: 'lenet' }, 2, { sha256: sha('a'), kind: 'dataset' }),
      () => facts,
    );
    const { seconds, bytes } = await estimate('train', prospect);
    expect(seconds).toBeUndefined();
    expect(bytes).toBeGreaterThan(8 * 10_000);
  });
});
