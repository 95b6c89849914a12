import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  findExamples,
  readExamples,
  sgdOf,
  trainedModel,
  trainingOf,
} from '../../../activities/stage-parts/training-data.ts';
import { writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../../artifacts/arrow/table.ts';
import { DamagedArtifactError } from '../../../artifacts/errors.ts';
import { localPath } from '../../../artifacts/store/local-store.ts';
import { createModel } from '../../../science/models/index.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { training } from '../report/synthetic.ts';

const store = await storeOfThisFile();
const series = async (metadata: Parameters<typeof writeMetadata>[0]): Promise<ArrowTable> =>
  store.open(
    await store.write('series', writeMetadata(metadata), (writer) =>
      writer.append({ step: [1], theta: Float32Array.of(1) }),
    ),
  );
const network = training();
const { model: _model, ...sgd } = network;
const refused = (message: RegExp) => ({
  name: 'InputError',
  message: expect.stringMatching(message),
  cure: expect.stringMatching(/train or record/),
});
const reading = async (read: (table: ArrowTable) => unknown, metadata: Parameters<typeof series>[0]) => {
  const table = await series(metadata);
  return read(table);
};

test('a series that says nothing of SGD, as that of a valley, is wrong input where the theory is asked for', async () => {
  await expect(reading(sgdOf, { training: network })).rejects.toMatchObject(
    refused(/does not say how it was trained/),
  );
  expect(await reading(sgdOf, { training: sgd, data: { train: null, test: null } })).toEqual({
    ...{ training: sgd, data: { train: null, test: null } },
  });
});

test('only a network with its data can be gone on from', async () => {
  const data = { train: 'a', test: null };
  expect(await reading(trainingOf, { training: network, data })).toEqual({ training: network, data });
  for (const toy of [
    { training: sgd, data },
    { training: network, data: { train: null, test: null } },
  ])
    await expect(reading(trainingOf, toy)).rejects.toMatchObject(refused(/series .* is not of a network/));
});

test('the network of an artifact is the one that was trained', () => {
  const trained = createModel({ name: 'mlp', initialization: 'glorot-normal', hidden: [3] }, [2, 2, 1], 4);
  const again = trainedModel({ ...network, model: { ...trained.spec }, imageShape: [2, 2, 1], classes: 4 });
  expect([again.spec, again.layout]).toEqual([trained.spec, trained.layout]);
});

const writeExamples = (label: number) =>
  store.write('dataset', writeMetadata({ shape: [1, 2, 1], classes: 3 }), (writer) =>
    writer.append({ image: Uint8Array.of(1, 2, 3, 4), label: [0, label] }),
  );

test('examples that were read before are used again, as long as their file is whole', async () => {
  const [ref, other] = [await writeExamples(1), await writeExamples(2)];
  const first = await readExamples(store, ref);
  expect(first).toMatchObject({ examples: 2, classes: 3, shape: [1, 2, 1] });
  expect([...first.labels]).toEqual([0, 1]);
  expect([...(await readExamples(store, other)).labels]).toEqual([0, 2]);
  expect(await readExamples(store, ref)).toBe(first);
  expect(await findExamples(store, ref.sha256)).toBe(first);
  appendFileSync(localPath(ref), 'x');
  await expect(readExamples(store, ref)).rejects.toThrow(DamagedArtifactError);
});
