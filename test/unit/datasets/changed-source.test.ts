import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readExamples } from '../../../activities/stage-parts/training-data.ts';
import { stage } from '../../../activities/stages/dataset.ts';
import { datasetSources } from '../../../datasets/index.ts';
import { stageContext } from '../../fixtures/stage-context.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { folderOf, idx } from './files.ts';

const store = await storeOfThisFile();

test('a file that changed after its digest went into the step key is never written under that key', async () => {
  const folder = folderOf({
    'train-images-idx3-ubyte': idx([2, 1, 1], [1, 2]),
    'train-labels-idx1-ubyte': idx([2], [0, 1]),
  });
  const settings = { name: 'mnist', path: '.', testExamples: 0 };
  const context = { ...stageContext<never>(store, 'dataset', settings), baseDirectory: folder };
  const inputs = await datasetSources(context.with, folder);
  const { train, test: none } = await stage.run({ ...context, inputs });
  expect((await store.open(train!)).rows).toBe(2);
  expect((await store.open(none!)).rows).toBe(0);
  await expect(readExamples(store, none!)).rejects.toMatchObject({ name: 'InputError' });
  writeFileSync(path.join(folder, 'train-images-idx3-ubyte'), idx([2, 1, 1], [1, 3]));
  await expect(stage.run({ ...context, inputs })).rejects.toThrow(/train-images-idx3-ubyte changed/);
});
