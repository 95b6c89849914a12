import { expect, test } from 'vitest';
import { keptEpochs } from '../../../activities/stage-parts/states/kept-states.ts';
import { readMetadata, writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../../artifacts/arrow/table.ts';
import { RandomStream } from '../../../science/random.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { randomExamples } from '../science/oracle/random-examples.ts';

const store = await storeOfThisFile();
const elsewhere = await storeOfThisFile();
const examples = randomExamples(new RandomStream(7, 'kept states'), [4, 3, 1], 3, 26);
const writeData = (into: typeof store) =>
  into.write('dataset', writeMetadata({ shape: examples.shape, classes: examples.classes }), (writer) =>
    writer.append({ image: examples.images, label: examples.labels }),
  );
const data = await writeData(store);
const settings = {
  data,
  model: { name: 'mlp', hidden: [5] },
  epochs: 6,
  batchSize: 4,
  l2: 1e-3,
  seed: 5,
  keep: { every: 2 },
  optimizer: { name: 'sgd', learningRate: 0.3, momentum: 0.8, schedule: { name: 'cosine', final: 0.1 } },
};
const whole = await runStage(store, 'train', settings, 'whole');
const states = await store.open(whole.outputs.states!);
const stateIn = (table: ArrowTable, row = 0) => ({
  weights: table.floatVector('weights', row),
  velocity: table.floatVector('velocity', row),
  step: table.numbers('step')[row],
  epoch: table.numbers('epoch')[row],
});

test('the epochs kept are every so many from epoch 0, and the first and the last; or those of the list', () => {
  expect(keptEpochs({ every: 4 }, 0, 10)).toEqual([0, 4, 8, 10]);
  expect(keptEpochs({ every: 4 }, 3, 9)).toEqual([3, 4, 8, 9]);
  expect(keptEpochs([7, 3], 3, 9)).toEqual([3, 7]);
  expect(keptEpochs(undefined, 0, 10)).toEqual([]);
  expect(() => keptEpochs([2, 10], 3, 9)).toThrow(/keep names epoch 2, .* from epoch 3 to 9/);
});

test('a training keeps the start, states along the way, and the last, with the learning rate of each', async () => {
  expect([...states.numbers('epoch')]).toEqual([0, 2, 4, 6]);
  expect([...states.numbers('step')]).toEqual([0, 12, 24, 36]);
  const rate = (epoch: number) => 0.2 + 0.1 * Math.cos((Math.PI * epoch) / 6);
  for (const [row, expected] of [rate(0), rate(1), rate(3), rate(5)].entries())
    expect(states.numbers('learning_rate')[row]).toBeCloseTo(expected, 12);
  expect(stateIn(states, 3)).toEqual(stateIn(await store.open(whole.outputs.state!)));
});

test('without `keep` a training writes what it always has', async () => {
  const { keep: _, ...rest } = settings;
  const { outputs } = await runStage(store, 'train', rest, 'whole');
  expect(Object.keys(outputs)).toEqual(['state', 'history']);
  for (const output of ['state', 'history']) expect(outputs[output]).toEqual(whole.outputs[output]);
});

test.each([2, 4])(
  'from the state of epoch %i it goes on as if it had not been interrupted',
  async (epoch) => {
    const at = await runStage(store, 'checkpoint', { of: whole.outputs.states!, epoch }, `at-${epoch}`);
    const begun = await store.open(at.outputs.state!);
    expect(stateIn(begun)).toEqual(stateIn(states, epoch / 2));
    expect(readMetadata(begun, 'training').learningRate).toBe(states.numbers('learning_rate')[epoch / 2]);
    const rest = { ...settings, from: at.outputs.state!, epochs: 6 - epoch, keep: [6] };
    const { outputs } = await runStage(store, 'train', rest, `from-${epoch}`);
    expect(stateIn(await store.open(outputs.state!))).toEqual(stateIn(states, 3));
    expect([...(await store.open(outputs.states!)).numbers('epoch')]).toEqual([6]);
    const [short, long] = [await store.open(outputs.history!), await store.open(whole.outputs.history!)];
    for (const column of ['epoch', 'learning_rate', 'train_loss', 'train_accuracy'])
      expect([...short.numbers(column)]).toEqual([...long.numbers(column)].slice(epoch));
  },
);

test.each([2, 4, 6])('killed in epoch %i, it goes on to the same bytes', async (epoch) => {
  await writeData(elsewhere);
  let breaths = 0;
  const dying = () => (++breaths === epoch ? Promise.reject(new Error('killed')) : Promise.resolve());
  const key = `killed-${epoch}`;
  const undisturbed = await runStage(store, 'train', settings, key);
  await expect(runStage(elsewhere, 'train', settings, key, dying)).rejects.toThrow('killed');
  if (epoch === 6) await elsewhere.checkpoint(key).remove('kept-000002');
  let again = 0;
  const counted = () => Promise.resolve(void again++);
  const { outputs } = await runStage(elsewhere, 'train', settings, key, counted);
  expect(outputs).toMatchObject(
    Object.fromEntries(Object.entries(undisturbed.outputs).map(([name, { sha256 }]) => [name, { sha256 }])),
  );
  // A state that was kept and is gone has the training begin anew.
  expect(again).toBe(epoch === 6 ? 6 : 6 - epoch + 1);
});

test('a state of another network, or of an epoch that was not kept, is wrong input', async () => {
  const { outputs } = await runStage(store, 'checkpoint', { of: whole.outputs.states!, epoch: 0 }, 'start');
  const other = { ...settings, model: { name: 'mlp', hidden: [6] }, from: outputs.state! };
  await expect(runStage(store, 'train', other, 'other')).rejects.toMatchObject({
    name: 'InputError',
    message: expect.stringMatching(/dense1.* of shape \[12, 6\], got .* of shape \[12, 5\]/),
    cure: expect.stringMatching(/Give the `model` that the state was trained with/),
  });
  const missing = { of: whole.outputs.states!, epoch: 3 };
  await expect(runStage(store, 'checkpoint', missing, 'missing')).rejects.toMatchObject({
    name: 'InputError',
    message: 'There is no state of epoch 3: those of the epochs 0, 2, 4, 6 were kept.',
  });
});
