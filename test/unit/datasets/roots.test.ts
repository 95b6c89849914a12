/** What a pipeline may read: its own folder, `data` beside it, what was downloaded, and what `EPOCHAL_DATA` names. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { datasetSize, datasetSources, loadDataset } from '../../../datasets/index.ts';
import type { DatasetSpec } from '../../../datasets/kind.ts';
import { folderOf, idx, specOf } from './files.ts';

const png = PNG.sync.write(new PNG({ width: 2, height: 2 }));
const pair = (folder: string): Record<string, Uint8Array> => ({
  [`${folder}/train-images-idx3-ubyte`]: idx([1, 1, 1], [7]),
  [`${folder}/train-labels-idx1-ubyte`]: idx([1], [3]),
});

let place: string;
let pipelines: string;
/** Somebody else's, as far as the pipeline is concerned. */
let elsewhere: string;
beforeEach(() => {
  place = folderOf({ 'pipelines/one.yaml': Buffer.of(), ...pair('pipelines/here'), ...pair('data/beside') });
  pipelines = join(place, 'pipelines');
  elsewhere = folderOf({ ...pair('mnist'), 'images/train/a/1.png': png });
  vi.stubEnv('EPOCHAL_CACHE', join(place, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
});

const spec = (path: string, name = 'mnist'): DatasetSpec => specOf({ name, path, testExamples: 0 });

async function mustBeRefused(path: string, to: string, name?: string): Promise<void> {
  for (const ask of [loadDataset, datasetSources, datasetSize])
    await expect(ask(spec(path, name), pipelines), ask.name).rejects.toMatchObject({
      name: 'InputError',
      setting: 'path',
      message: expect.stringContaining(to),
      cure: expect.stringContaining('EPOCHAL_DATA'),
    });
}

test.each(['here', './here', '../data/beside', '../pipelines/here'])(
  'a pipeline may read %s',
  async (path) => {
    expect([...(await loadDataset(spec(path), pipelines)).train.labels]).toEqual([3]);
  },
);

test('a pipeline may read folders that are named, and no others', async () => {
  const away = join(elsewhere, 'mnist');
  await mustBeRefused(away, away);
  await mustBeRefused(`../../${elsewhere.split('/').at(-1)}/mnist`, away);
  vi.stubEnv('EPOCHAL_DATA', `/nowhere:${elsewhere}`);
  expect([...(await loadDataset(spec(away), pipelines)).train.labels]).toEqual([3]);
  // A folder whose name only begins so.
  vi.stubEnv('EPOCHAL_DATA', elsewhere.slice(0, -1));
  await mustBeRefused(away, away);
  vi.stubEnv('EPOCHAL_DATA', 'relative');
  await expect(loadDataset(spec(away), pipelines)).rejects.toMatchObject({ name: 'EnvironmentError' });
});

describe('a link that leads out is refused, whatever it is of', () => {
  test('the folder of the data', async () => {
    symlinkSync(join(elsewhere, 'mnist'), join(pipelines, 'linked'));
    await mustBeRefused('linked', join(elsewhere, 'mnist'));
  });

  test('`data` beside the pipelines', async () => {
    const other = folderOf({ 'pipelines/one.yaml': Buffer.of() });
    symlinkSync(elsewhere, join(other, 'data'));
    await expect(loadDataset(spec('../data/mnist'), join(other, 'pipelines'))).rejects.toThrow(
      `leads out of the folders that this pipeline may read data from, to ${join(elsewhere, 'mnist')}`,
    );
  });

  test('a file of it', async () => {
    const folder = join(pipelines, 'half');
    const own = folderOf({});
    symlinkSync(own, folder);
    vi.stubEnv('EPOCHAL_DATA', own);
    for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'])
      symlinkSync(join(elsewhere, 'mnist', name), join(own, name));
    for (const ask of [loadDataset, datasetSources])
      await expect(ask(spec('half'), pipelines)).rejects.toThrow(/leads out of the folders/);
  });

  test.each([
    ['the folder of a part', 'train', 'images/train'],
    ['a folder of a class', 'train/a', 'images/train/a'],
    ['an image', 'train/a/2.png', 'images/train/a/1.png'],
  ])('%s', async (_what, link, target) => {
    const above = join(link, '..');
    const files = above === '.' ? {} : { [join(above, 'b', '1.png')]: png, 'train/a/1.png': png };
    const images = folderOf(link === 'train/a' ? { 'train/b/1.png': png } : files);
    vi.stubEnv('EPOCHAL_DATA', images);
    symlinkSync(join(elsewhere, target), join(images, link));
    await mustBeRefused(images, join(elsewhere, target), 'image-folder');
  });
});
