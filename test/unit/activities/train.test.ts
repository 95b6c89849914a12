import { expect, test } from 'vitest';
import { readMetadata, writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import { InputError } from '../../../artifacts/errors.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { createModel } from '../../../science/models/index.ts';
import { statisticsNote } from '../../../science/models/statistics.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { specimens } from '../science/models/model-specimens.ts';
import { doubleLoss } from '../science/oracle/double-loss.ts';

const store = await storeOfThisFile();
const elsewhere = await storeOfThisFile();
const { data, problem } = specimens.find(({ model }) => model.spec.name === 'resnet20')!;
const dataset = await writeDataset(store);
const model = { name: 'resnet20', width: 2, blocks: 1 };
const settings = {
  data: dataset,
  model,
  epochs: 4,
  batchSize: 3,
  l2: 3e-3,
  seed: 5,
  optimizer: { name: 'sgd', learningRate: 0.04, momentum: 0.5, schedule: { name: 'cosine', final: 0.02 } },
};

function writeDataset(into: Store): Promise<ArtifactRef> {
  const metadata = writeMetadata({ shape: data.shape, classes: data.classes });
  return into.write('dataset', metadata, (writer) =>
    writer.append({ image: data.images, label: data.labels }),
  );
}

test('a run that was killed between epochs and goes on has the bytes of one that was not', async () => {
  await writeDataset(elsewhere);
  const whole = await runStage(elsewhere, 'train', settings, 'same');
  let breaths = 0;
  const dying = () => (++breaths === 3 ? Promise.reject(new Error('killed')) : Promise.resolve());
  const cut = runStage(store, 'train', settings, 'same', dying);
  await expect(cut).rejects.toThrow('killed');
  const resumed = await runStage(store, 'train', settings, 'same');
  for (const output of ['state', 'history'])
    expect(resumed.outputs[output]!.sha256).toBe(whole.outputs[output]!.sha256);
});

test('the history has the schedule, and losses that use the moments of the training set, and says so', async () => {
  const { outputs } = await runStage(store, 'train', settings, 'schedule');
  const history = await store.open(outputs.history!);
  const rates = [...history.numbers('learning_rate')];
  for (const [epoch, rate] of rates.entries())
    expect(rate).toBeCloseTo(0.03 + 0.01 * Math.cos((Math.PI * epoch) / 4), 15);
  expect(readMetadata(history, 'statistics')).toBe(statisticsNote);

  const state = await store.open(outputs.state!);
  expect(readMetadata(state, 'training')).toMatchObject({
    learningRate: rates[3],
    loss: 'cross-entropy',
    model: { name: 'resnet20', width: 2, blocks: 1, activation: 'relu', initialization: 'glorot-normal' },
  });
  // The seven examples are one batch of the statistics, so its moments are those of the set.
  const { loss } = doubleLoss(problem, Float64Array.from(state.floatVector('weights', 0)));
  expect(history.numbers('train_loss')[3]).toBeCloseTo(loss, 5);
});

test('no epochs give the initial weights, from which a recording follows the start of training', async () => {
  const { outputs } = await runStage(store, 'train', { ...settings, epochs: 0 }, 'start');
  const state = await store.open(outputs.state!);
  const initial = createModel(
    { name: 'resnet20', width: 2, blocks: 1, initialization: 'glorot-normal' },
    data.shape,
    3,
  );
  expect(state.floatVector('weights', 0)).toEqual(initial.initialize(5));
  expect((await store.open(outputs.history!)).rows).toBe(0);

  const recorded = await runStage(store, 'record', { from: outputs.state!, epochs: 1 }, 'recorded');
  const end = await store.open(recorded.outputs.state!);
  const constant = { ...settings, epochs: 1, optimizer: { name: 'sgd', learningRate: 0.04, momentum: 0.5 } };
  const trained = await store.open((await runStage(store, 'train', constant, 'one')).outputs.state!);
  expect(end.floatVector('weights', 0)).toEqual(trained.floatVector('weights', 0));
});

test('least squares is carried along', async () => {
  const withs = { ...settings, model: { name: 'linear' }, epochs: 1, loss: 'mean-squared-error' };
  const { outputs } = await runStage(store, 'train', withs, 'squares');
  const recorded = await runStage(store, 'record', { from: outputs.state!, epochs: 1 }, 'squares-recorded');
  const mean = await store.open(recorded.outputs.mean!);
  expect(readMetadata(mean, 'training')).toMatchObject({ loss: 'mean-squared-error' });
  const hessian = await runStage(store, 'hessian', { at: recorded.outputs.mean!, top: 2 }, 'squares-hessian');
  const pairs = await store.open(hessian.outputs.eigenpairs!);
  expect(readMetadata(pairs, 'hessian').loss).toContain('(logit_c - onehot_c)^2 / 2');
});

test('layers that do not fit together are wrong input', async () => {
  const layers = [{ kind: 'dense', units: 3 }];
  const run = runStage(store, 'train', { ...settings, model: { name: 'custom', layers } }, 'wrong');
  const error = await run.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toMatch(/layers\[0\]: a dense layer takes a vector/);
  expect((error as InputError).cure).toMatch(/flatten/);
});
