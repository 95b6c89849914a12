import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../activities/kinds/prospect.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { openLocalStore } from '../../../artifacts/store/local-store.ts';
import type { StepRecord } from '../../../artifacts/store/step.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { digestOf } from '../../../compiler/plan/recipe.ts';
import { fillWith } from '../../../compiler/schema/schemas.ts';
import { datasetSize, loadDataset } from '../../../datasets/index.ts';
import type { DatasetSpec } from '../../../datasets/kind.ts';
import { createEstimator } from '../../../runtime/cost/estimate.ts';
import { type Digest, type KnownFacts, prospectOf } from '../../../runtime/cost/prospects.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { folderOf, idx, specOf } from '../datasets/files.ts';

const store = await storeOfThisFile();

/** Runs stages in this process and foresees the same from their settings alone. */
class Chain {
  readonly refs: Record<string, ArtifactRef> = {};
  readonly facts: Record<string, Facts> = {};
  readonly sizes: Record<string, { foreseen: number | undefined; written: number }> = {};

  async run(uses: string, settings: Record<string, unknown>, as = uses): Promise<void> {
    const withs = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [key, this.refs[value as string] ?? value]),
    );
    const { outputs } = await runStage(store, uses, withs, as);
    const filled = structuredClone(withs) as never;
    fillWith(uses, filled);
    const byDigest = new Map(
      Object.entries(this.refs).map(([name, { sha256 }]) => [sha256, this.facts[name]!]),
    );
    const known: KnownFacts = (of) => byDigest.get((of as Digest).sha256) ?? {};
    const prospect = await prospectOf(uses, filled, known);
    let written = 0;
    for (const [name, ref] of Object.entries(outputs)) {
      this.refs[`${as}.${name}`] = ref;
      this.facts[`${as}.${name}`] = prospect?.outputs[name] ?? {};
      written += ref.bytes;
      if (ref.kind === 'trajectory')
        for (const bytes of (await store.open(ref)).numbers('bytes')) written += bytes;
    }
    this.sizes[as] = { foreseen: prospect?.bytes, written };
  }
}

test('the bytes that settings decide are those of the files, but for headers', async () => {
  const chain = new Chain();
  await chain.run('dataset', { name: 'mnist-digits', examples: 400, testExamples: 100 });
  const optimizer = { name: 'sgd', learningRate: 0.05 };
  await chain.run('train', {
    ...{ data: 'dataset.train', test: 'dataset.test', model: { name: 'mlp', hidden: [64] }, optimizer },
    ...{ epochs: 1, batchSize: 20 },
  });
  await chain.run('record', { from: 'train.state', epochs: 6 });
  await chain.run('hessian', { at: 'record.mean', top: 4, tolerance: 0.1 });
  await chain.run('project', { trajectory: 'record.trajectory', basis: 'hessian.eigenpairs' });
  await chain.run('analyze', { series: 'project.series', blocks: 2 });
  await chain.run('fit', { spectrum: 'analyze.spectrum' });
  await chain.run('pca', { trajectory: 'record.trajectory', at: 'record.mean', components: 3, blocks: 2 });
  await chain.run('evaluate', { state: 'record.mean', data: 'dataset.test' });
  await chain.run('noise', { from: 'train.state', basis: 'hessian.eigenpairs', along: [0], epochs: 1 });
  await chain.run('toy', {
    ...{ loss: { name: 'quadratic', eigenvalues: [1, 0.1, 0.01] }, learningRate: 0.1 },
    ...{ examples: 1000, batchSize: 10, epochs: 300 },
  });
  const recording = { from: 'train.state', epochs: 6 };
  await chain.run('record', { ...recording, every: 7 }, 'thinned');
  await chain.run('record', { ...recording, keep: 'none' }, 'mean');
  await chain.run('record', { ...recording, onto: 'hessian.eigenpairs', sketch: { size: 50 } }, 'series');
  for (const uses of ['dataset', 'train', 'record', 'thinned', 'mean', 'hessian', 'pca', 'toy']) {
    const { foreseen, written } = chain.sizes[uses]!;
    expect(foreseen! / written, uses).toBeGreaterThan(0.99);
    expect(foreseen!, uses).toBeLessThan(written);
  }
  // Less than the headers, which are some kilobytes.
  for (const uses of ['project', 'series', 'analyze', 'fit', 'evaluate', 'noise']) {
    const { foreseen, written } = chain.sizes[uses]!;
    expect(written - foreseen!, uses).toBeGreaterThan(0);
    expect(written - foreseen!, uses).toBeLessThan(20_000);
  }
  const states = chain.sizes.mean!.foreseen!;
  expect(chain.sizes.series!.foreseen! - states).toBe(120 * (4 * 4 + 8) + 120 * (4 * 50 + 8));
  expect(chain.facts['series.series']!.pairs).toBe(4);
  expect(chain.facts['thinned.trajectory']).toMatchObject({ steps: 18, every: 7 });
  expect(chain.sizes.project!.foreseen).toBe(120 * (4 * 4 + 8));
});

test('in a valley the toy has more columns', async () => {
  const chain = new Chain();
  await chain.run('toy', {
    ...{ loss: { name: 'valley', width: 3 }, learningRate: 0.01, examples: 1000, batchSize: 10, epochs: 100 },
    noise: { name: 'anti-correlated', covariance: 'isotropic', scale: 0.01 },
  });
  const { foreseen, written } = chain.sizes.toy!;
  expect(foreseen! / written).toBeGreaterThan(0.99);
  expect(foreseen!).toBeLessThan(written);
});

describe('the size of a data set that is told is that of what is loaded', () => {
  const batch = (count: number) => Buffer.alloc(3073 * count);
  const names = [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), 'test_batch.bin'];
  const png = (width: number, height: number) => PNG.sync.write(new PNG({ width, height }));
  test.each<[string, Partial<DatasetSpec> & Pick<DatasetSpec, 'name'>, Record<string, Uint8Array>]>([
    ['mnist-digits', { name: 'mnist-digits' }, {}],
    ['gaussian-mixture', { name: 'gaussian-mixture', dimension: 5, testExamples: 0 }, {}],
    [
      "mnist of one's own",
      { name: 'mnist', path: '.' },
      {
        'train-images-idx3-ubyte': idx([3, 2, 5], new Uint8Array(30)),
        'train-labels-idx1-ubyte': idx([3], [0, 1, 2]),
        't10k-images-idx3-ubyte': idx([1, 2, 5], new Uint8Array(10)),
        't10k-labels-idx1-ubyte': idx([1], [3]),
      },
    ],
    [
      "cifar10 of one's own",
      { name: 'cifar10', path: '.' },
      Object.fromEntries(names.map((name, i) => [name, batch(i + 1)])),
    ],
    [
      'image-folder',
      { name: 'image-folder', path: '.', examples: 2 },
      {
        'train/a/1.png': png(7, 4),
        'train/a/2.png': png(7, 4),
        'train/b/1.png': png(7, 4),
        'test/a/1.png': png(7, 4),
        'test/b/1.png': png(7, 4),
      },
    ],
  ])('%s', async (_name, given, files) => {
    const folder = folderOf(files);
    const spec = specOf(given);
    const { train, test: held } = await loadDataset(spec, folder);
    const size = { shape: train.shape, classes: train.classes };
    const counts = { train: train.labels.length, test: held.labels.length };
    expect(await datasetSize(spec, folder)).toEqual({ ...size, ...counts });
    const alone = await datasetSize(spec, undefined);
    if (spec.name === 'mnist' || spec.name === 'image-folder') expect(alone).toBeUndefined();
  });
});

describe('an estimate', () => {
  const facts: Facts = { examples: 400, imageShape: [28, 28, 1], classes: 10 };
  const filled = (uses: string, withs: Record<string, unknown>) => {
    const copy = structuredClone(withs);
    fillWith(uses, copy as never);
    return copy;
  };
  const train = (model: Record<string, unknown>, epochs: number, data: unknown) =>
    filled('train', {
      ...{ data, model, epochs, batchSize: 20 },
      optimizer: { name: 'sgd', learningRate: 0.1 },
    });
  /** A store with a data set and steps that took so long, of which nothing but the records is made up. */
  async function storeWith(
    steps: readonly (readonly [
      uses: string,
      withs: (data: object) => object,
      seconds: number,
      hardware?: Pick<StepRecord, 'threads' | 'device'>,
    ])[],
  ): Promise<Store> {
    const own = await openLocalStore(folderOf({}));
    const data = { name: 'mnist-digits', examples: 400, testExamples: 100 };
    const key = digestOf('data');
    const { outputs } = await runStage(own, 'dataset', data, key);
    const record = (
      of: string,
      uses: string,
      withs: object,
      made: StepRecord['outputs'],
      seconds: number,
      hardware: Pick<StepRecord, 'threads' | 'device'> = {},
    ) =>
      own.writeStep({
        ...{ key: of, uses, version: 1, with: withs, inputs: {}, outputs: made, notes: [], ...hardware },
        provenance: { seconds, backend: 'tensorflow' } as StepRecord['provenance'],
      });
    await record(key, 'dataset', filled('dataset', data), outputs, 1);
    const { sha256, kind } = outputs.train!;
    for (const [index, [uses, withs, seconds, hardware]] of steps.entries())
      await record(digestOf([uses, index]), uses, withs({ sha256, kind }), {}, seconds, hardware);
    return own;
  }
  const prospect = (model: Record<string, unknown>, epochs: number, examples = 400) =>
    prospectOf('train', train(model, epochs, { sha256: 'a'.repeat(64), kind: 'dataset' }), () => ({
      ...facts,
      examples,
    }));

  test('grows with steps, examples and the work of the network, from a step of the same network if there is one', async () => {
    const estimate = await createEstimator(
      await storeWith([
        ['train', (data) => train({ name: 'mlp', hidden: [64] }, 10, data), 11],
        ['train', (data) => train({ name: 'lenet' }, 2, data), 41],
      ]),
    );
    const of = async (...args: Parameters<typeof prospect>) => estimate('train', await prospect(...args));
    // A second is the start: the shortest step of the store takes that.
    expect((await of({ name: 'mlp', hidden: [64] }, 10)).seconds).toBeCloseTo(11, 6);
    expect((await of({ name: 'mlp', hidden: [64] }, 100)).seconds).toBeGreaterThan(95);
    expect((await of({ name: 'mlp', hidden: [64] }, 10, 4000)).seconds).toBeCloseTo(101, 6);
    expect((await of({ name: 'lenet' }, 2)).seconds).toBeCloseTo(41, 6);
    expect((await of({ name: 'mlp', hidden: [640] }, 10)).seconds).toBeCloseTo(101, 6);
    expect((await of({ name: 'lenet' }, 2)).basis).toEqual({ key: digestOf(['train', 1]) });
    // Of another size, of which less than in proportion is known.
    expect((await of({ name: 'mlp', hidden: [640] }, 10)).basis?.other).toBe('50,890 weights');
    // No step of a transformer: in proportion to its work, from the step with the most, and said.
    const guess = await of({ name: 'transformer', patch: 4 }, 2);
    expect(guess.seconds).toBeGreaterThan(41);
    expect(guess.basis).toEqual({ key: digestOf(['train', 1]), other: 'lenet' });
  });

  test('is that of a step with as many threads, or on a GPU as well; else a guess, which is said', async () => {
    const estimate = await createEstimator(
      await storeWith([
        ['train', (data) => train({ name: 'lenet' }, 2, data), 41, { threads: 1 }],
        ['train', (data) => train({ name: 'lenet' }, 4, data), 21, { threads: 4 }],
        ['train', (data) => train({ name: 'lenet' }, 8, data), 3, { threads: 1, device: 'gpu' }],
      ]),
    );
    const foreseen = await prospect({ name: 'lenet' }, 2);
    const of = async (threads: number, device?: 'gpu') =>
      (await estimate('train', foreseen, { threads, device })).basis;
    const key = (index: number) => digestOf(['train', index]);
    expect(await of(1)).toEqual({ key: key(0) });
    expect(await of(4)).toEqual({ key: key(1) });
    expect(await of(2, 'gpu')).toEqual({ key: key(2) });
    expect((await of(2))?.other).toBe('4 threads');
  });

  test('finds what earlier steps worked on, also where the step that made it is not among those looked at', async () => {
    // Of a store with more steps than are looked at, the record of the one data set is seldom in the sample.
    const own = await storeWith([['train', (data) => train({ name: 'lenet' }, 2, data), 41]]);
    const key = digestOf('data');
    const sampled: Store = {
      ...own,
      listTexts: async (prefix) => (await own.listTexts(prefix)).filter((name) => !name.includes(key)),
    };
    const estimate = await createEstimator(sampled);
    expect((await estimate('train', await prospect({ name: 'lenet' }, 4))).seconds).toBeGreaterThan(41);
  });

  test('is left out where nothing comparable has run, and says so', async () => {
    const estimate = await createEstimator(undefined);
    const { seconds, bytes, unknown } = await estimate('train', await prospect({ name: 'lenet' }, 2));
    expect(seconds).toBeUndefined();
    expect(unknown).toBe('no comparable `train` has run in this store');
    expect(bytes).toBeGreaterThan(8 * 10_000);
  });

  test("is no other step's where nothing is known of the data", async () => {
    const own = await storeWith([['train', (data) => train({ name: 'lenet' }, 2, data), 41]]);
    const estimate = await createEstimator(own);
    expect(await estimate('train', undefined)).toEqual({
      unknown: 'how much work `train` has is not known before it runs',
    });
  });
});
