import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { datasetSources } from '../../../datasets/index.ts';
import type { DatasetSpec } from '../../../datasets/kind.ts';
import { folderOf, specOf } from './files.ts';

/** Large enough that to read it shows in the processor's time. */
const large = new Uint8Array(50_000_000);
const cells = 200;

test.each<[string, Partial<DatasetSpec> & Pick<DatasetSpec, 'name'>, Record<string, Uint8Array>, string]>([
  [
    'mnist',
    { name: 'mnist', path: '.', testExamples: 0 },
    { 'train-images-idx3-ubyte': large, 'train-labels-idx1-ubyte': new Uint8Array(1) },
    'train-images-idx3-ubyte',
  ],
  [
    'image-folder',
    { name: 'image-folder', path: '.', testExamples: 0 },
    { 'train/a/1.png': large, 'train/b/1.png': new Uint8Array(1) },
    'train/a/1.png',
  ],
])(
  'a file of %s is digested once for all cells, and again when it has changed',
  async (_, given, files, changed) => {
    const folder = folderOf(files);
    const spec = specOf(given);
    const timed = async <Value>(work: () => Promise<Value>) => {
      const before = process.cpuUsage();
      const value = await work();
      const { user, system } = process.cpuUsage(before);
      return { value, cpu: user + system };
    };
    const first = await timed(() => datasetSources(spec, folder));
    const rest = await timed(async () => {
      const digests: unknown[] = [];
      for (let cell = 0; cell < cells; cell++) digests.push(await datasetSources(spec, folder));
      return digests;
    });
    for (const digests of rest.value) expect(digests).toEqual(first.value);
    expect(rest.cpu).toBeLessThan((cells / 4) * first.cpu);
    appendFileSync(path.join(folder, changed), 'x');
    expect(await datasetSources(spec, folder)).not.toEqual(first.value);
  },
);
