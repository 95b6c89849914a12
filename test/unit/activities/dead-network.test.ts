import { beforeAll, describe, expect, test } from 'vitest';
import { warnIfDiverged } from '../../../activities/stage-parts/dead-network.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
let data: ArtifactRef;

beforeAll(async () => {
  const settings = { name: 'gaussian-mixture', examples: 200, testExamples: 0, classes: 3, dimension: 8 };
  data = (await runStage(store, 'dataset', { ...settings, seed: 1 })).outputs.train!;
});

const train = (loss: string, learningRate: number) =>
  runStage(
    store,
    'train',
    {
      ...{ data, loss, epochs: 3, batchSize: 10, optimizer: { name: 'sgd', learningRate } },
      ...{ model: { name: 'mlp', hidden: [12] }, standardize: 'scale' },
    },
    `${loss}-${String(learningRate).replace('.', '-')}`,
  );

describe('a training that comes to nothing', () => {
  test.each(['cross-entropy', 'mean-squared-error'])('is told with %s', async (loss) => {
    const { notes } = await train(loss, 1e-9);
    expect(notes).toContainEqual(expect.stringMatching(/^The network has learned nothing: .* guessing, \d/));
  });

  test.each(['cross-entropy', 'mean-squared-error'])(
    'is not told of one that learns with %s',
    async (loss) => {
      expect((await train(loss, 0.1)).notes.filter((note) => note.includes('nothing'))).toEqual([]);
    },
  );

  test.each([
    ['an infinite weight', [1, Number.POSITIVE_INFINITY], [0.5]],
    ['a weight that is no number', [Number.NaN, 0], [0.5]],
    ['a loss that is no number', [1, 2], [0.5, Number.NaN]],
  ])('%s is a divergence', (_what, weights, losses) => {
    const told: [string, string | undefined][] = [];
    const context = { note: (text: string, kind?: string) => void told.push([text, kind]) };
    expect(warnIfDiverged(context, Float32Array.from(weights), losses, 'The training')).toBe(true);
    expect(told).toEqual([[expect.stringMatching(/^The training diverged: /), 'warning']]);
  });
});
