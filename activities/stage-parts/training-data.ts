import { availableParallelism, totalmem } from 'node:os';
import { findMetadata, readMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import {
  type DataDigests,
  isOfNetwork,
  type SgdContext,
  type TrainingContext,
} from '../../artifacts/arrow/training-context.ts';
import { DamagedArtifactError, InputError } from '../../artifacts/errors.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { asLasting } from '../../science/examples.ts';
import { createModel, type Model, type ModelSpec } from '../../science/models/index.ts';
import { statisticsNote } from '../../science/models/statistics.ts';
import type { SgdProcess } from '../../science/theory/process.ts';
import { checkNotEmpty, checkSubset } from './checks.ts';

/** The digests of the data that a network was trained on. */
export interface NetworkData extends DataDigests {
  readonly train: string;
}

/** A `dataset` artifact in memory: images row by row (height, width, channels), one label each. */
export interface LabelledExamples {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly examples: number;
}

/** Examples that this process has read, by digest, to be used again with the network inputs that were made of them (science/examples.ts); least recently used first. */
const kept = new Map<string, LabelledExamples>();
/** Bytes of images that may be kept; with their inputs, five times as much. */
const mostKept = Math.min(40e6, totalmem() / availableParallelism() / 100);

/** Reads a `dataset` artifact, or takes what was read of it before if it still is whole. Throws `InputError` if it is empty. */
export async function readExamples(store: Store, ref: ArtifactRef): Promise<LabelledExamples> {
  const before = kept.get(ref.sha256);
  kept.delete(ref.sha256);
  const examples =
    before !== undefined && (await store.verify(ref)) ? before : asLasting(examplesIn(await store.open(ref)));
  kept.set(ref.sha256, examples);
  let bytes = [...kept.values()].reduce((sum, { images }) => sum + images.byteLength, 0);
  for (const [oldest, { images }] of kept) {
    if (bytes <= mostKept) break;
    kept.delete(oldest);
    bytes -= images.byteLength;
  }
  return examples;
}

function examplesIn(table: ArrowTable): LabelledExamples {
  checkNotEmpty(table.rows);
  const shape = readMetadata(table, 'shape');
  const size = shape[0] * shape[1] * shape[2];
  const images = new Uint8Array(table.rows * size);
  for (const batch of table.byteVectors('image')) images.set(batch.values, batch.firstRow * size);
  return {
    images,
    labels: Int32Array.from(table.numbers('label')),
    shape,
    classes: readMetadata(table, 'classes'),
    examples: table.rows,
  };
}

/** Reads the dataset with this digest, which a state names. Throws {@link DamagedArtifactError} if the store does not hold it. */
export async function findExamples(store: Store, sha256: string): Promise<LabelledExamples> {
  const ref = await store.find(sha256, 'dataset');
  if (ref === undefined) {
    throw new DamagedArtifactError(
      `The dataset ${sha256.slice(0, 12)}, on which the state was trained, is gone from the store ${store.uri}.`,
    );
  }
  return readExamples(store, ref);
}

/** The first `count` of these examples. Throws `InputError` if there are fewer. */
export function firstExamples(all: LabelledExamples, count: number): LabelledExamples {
  checkSubset(count, all.examples);
  if (count === all.examples) return all;
  const pixels = all.images.length / all.examples;
  return {
    ...all,
    images: all.images.subarray(0, count * pixels),
    labels: all.labels.subarray(0, count),
    examples: count,
  };
}

/** How SGD ran that this artifact comes of, and on which data. Throws `InputError` for an artifact that does not say so. */
export function sgdOf(table: ArrowTable): { training: SgdContext; data: DataDigests } {
  const training = findMetadata(table, 'training');
  const data = findMetadata(table, 'data');
  if (training === undefined || data === undefined) {
    throw new InputError(
      `This ${table.kind} artifact does not say how it was trained (epochal.training and epochal.data are missing).`,
      'Use an artifact that a train or record stage wrote.',
    );
  }
  return { training, data };
}

/** What the theory takes of how SGD ran. */
export function theoryOf(training: SgdContext): Omit<SgdProcess, 'eigenvalue'> {
  const { learningRate, momentum, batchesPerEpoch, sampling, batchSize, blockSize } = training;
  const batchesPerBlock = blockSize === undefined ? undefined : blockSize / batchSize;
  return { learningRate, momentum, batchesPerEpoch, sampling, batchesPerBlock };
}

/** How the network was trained whose weights are in this artifact. Throws `InputError` for an artifact that does not say so, or is of a toy. */
export function trainingOf(table: ArrowTable): { training: TrainingContext; data: NetworkData } {
  const { training, data } = sgdOf(table);
  const { train } = data;
  if (isOfNetwork(training) && train !== null) return { training, data: { ...data, train } };
  throw new InputError(
    `This ${table.kind} artifact is not of a network.`,
    'Use an artifact that a train or record stage wrote.',
  );
}

/**
 * The network that was trained. An artifact has the options of its model as they are, since artifacts/ knows no networks: here, and nowhere else,
 * they become again the spec that science/ wrote down there.
 */
export function trainedModel({ model, imageShape, classes }: TrainingContext): Model {
  return createModel(model as ModelSpec, imageShape, classes);
}

/** How a network with batch normalization was evaluated, in words; nothing for others. */
export function statisticsOf({ normalizations }: Model): string | undefined {
  return normalizations.length === 0 ? undefined : statisticsNote;
}
