import { deserialize, serialize } from 'node:v8';
import type { TrainingContext } from '../../artifacts/arrow/training-context.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { NoiseWith } from '../../schemas/types.ts';
import { kernelMask } from '../../science/loss.ts';
import { createGradients, type Gradients, subtractMean } from '../../science/noise/gradients.ts';
import { LaggedProducts, type LagLayout, tailEpochs } from '../../science/noise/lagged-products.ts';
import { movingNoise } from '../../science/noise/moving.ts';
import { createRowProducts } from '../../science/noise/row-products.ts';
import { epochBatches } from '../../science/sampling.ts';
import type { SgdState } from '../../science/sgd.ts';
import type { StageContext } from '../kinds/stage.ts';
import type { NoiseSetting } from './noise-setting.ts';

/** After an epoch of a repetition. The noise of the last epochs lies beside it in files of its own. */
interface SumsCheckpoint {
  readonly repeat: number;
  readonly epochsDone: number;
  /** Sums of the repetitions before this one. */
  readonly finished: readonly Float64Array[];
  readonly sums: Float64Array;
  readonly state: SgdState;
}

/** The noise of one epoch, M x P, and the state after it. */
type EpochNoise = (state: SgdState, epochsDone: number) => Promise<{ rows: Float32Array; state: SgdState }>;

const checkpointName = 'after-epoch';
/** Steps between two checkpoints within an epoch, where each of them takes a gradient over all examples. */
const stepsPerChunk = 16;
const rowsName = (repeat: number, epoch: number) => `rows-${repeat}-${String(epoch).padStart(6, '0')}`;

/**
 * Lagged products of the gradient noise, (repeats E) x (L + 1), checkpointed after every epoch. Fixed weights: all gradients are taken at the
 * start. Moving weights: those of each step, with the gradient over all examples at the same weights subtracted.
 */
export async function measureLagSums(
  context: StageContext<NoiseWith>,
  setting: NoiseSetting,
  layout: LagLayout,
  tf: TensorFlow,
): Promise<Float64Array> {
  const { model, examples: data, training, seeds } = setting;
  const gradients = createGradients({
    tf,
    model,
    data,
    standardize: training.standardize,
    loss: training.loss,
  });
  const { products: rowProducts, dispose } = createRowProducts(tf, context.breathe);
  const tail = tailEpochs(layout);
  const perRepeat = layout.epochs + tail;
  const total = seeds.length * perRepeat * layout.batchesPerEpoch;
  const saved = await restore(context, tail);
  const finished: Float64Array[] = [...(saved?.checkpoint.finished ?? [])];
  const mask = kernelMask(model);
  for (let repeat = finished.length; repeat < seeds.length; repeat++) {
    const seed = seeds[repeat]!;
    const started = saved?.checkpoint.repeat === repeat && saved.checkpoint.epochsDone > 0;
    const own = started ? saved : undefined;
    const begin = setting.start(seed);
    const moving = context.with.weights === 'moving';
    const mean = moving ? undefined : await gradients.full(begin.weights, context.breathe);
    const report = (done: number, steps: number) => {
      const all = (repeat * perRepeat + done) * layout.batchesPerEpoch + steps;
      context.progress({ done: all, total, unit: 'steps', message: `lags up to ${layout.lags}` });
    };
    const noiseOf: EpochNoise = (state, done) => {
      const epoch = setting.firstOrder + done;
      const order = epochBatches(training.sampling, { ...training, seed }, epoch);
      return mean === undefined
        ? inChunks(context, `chunk-${repeat}-${done}`, order, training, state, (chunk, at, step) => {
            report(done, step);
            return movingNoise(gradients, at, chunk, { ...training, mask }, context.breathe);
          })
        : fixedNoise(gradients, state, order, training.batchSize, mean, context.breathe);
    };
    let state = own?.checkpoint.state ?? begin;
    let done = own?.checkpoint.epochsDone ?? 0;
    const products = new LaggedProducts(
      layout,
      own && { ...own.checkpoint, done, kept: own.kept },
      rowProducts,
    );
    while (done < perRepeat) {
      const noise = await noiseOf(state, done);
      await products.add(noise.rows);
      state = noise.state;
      done++;
      const complete = done === perRepeat;
      if (complete) finished.push(products.sums);
      else await context.checkpoint.write(rowsName(repeat, done), bytesOf(noise.rows));
      const checkpoint: SumsCheckpoint = {
        repeat: complete ? repeat + 1 : repeat,
        epochsDone: complete ? 0 : done,
        finished,
        sums: complete ? new Float64Array(0) : products.sums,
        state,
      };
      await context.checkpoint.write(checkpointName, serialize(checkpoint));
      const lastStale = complete ? done - 1 : done - tail;
      for (let epoch = complete ? 1 : lastStale; epoch <= lastStale; epoch++)
        if (epoch >= 1) await context.checkpoint.remove(rowsName(repeat, epoch));
      await removeChunks(context);
      report(done, 0);
    }
  }
  gradients.dispose();
  dispose();
  const all = new Float64Array(finished.length * layout.epochs * (layout.lags + 1));
  for (const [repeat, sums] of finished.entries()) all.set(sums, repeat * sums.length);
  return all;
}

/** An epoch in chunks, each kept until the epoch is done. */
async function inChunks(
  context: StageContext<NoiseWith>,
  name: string,
  order: Int32Array,
  { batchSize, batchesPerEpoch }: Pick<TrainingContext, 'batchSize' | 'batchesPerEpoch'>,
  from: SgdState,
  run: (order: Int32Array, from: SgdState, start: number) => Promise<{ rows: Float32Array; state: SgdState }>,
): Promise<{ rows: Float32Array; state: SgdState }> {
  const size = from.weights.length;
  const rows = new Float32Array(batchesPerEpoch * size);
  let state = from;
  for (let start = 0; start < batchesPerEpoch; start += stepsPerChunk) {
    const end = Math.min(start + stepsPerChunk, batchesPerEpoch);
    const saved = await context.checkpoint.read(`${name}-${start}`);
    const part =
      saved === undefined
        ? await run(order.subarray(start * batchSize, end * batchSize), state, start)
        : (deserialize(saved) as Awaited<ReturnType<typeof run>>);
    if (saved === undefined && end < batchesPerEpoch)
      await context.checkpoint.write(`${name}-${start}`, serialize(part));
    rows.set(part.rows, start * size);
    state = part.state;
  }
  return { rows, state };
}

async function removeChunks({ checkpoint }: StageContext<NoiseWith>): Promise<void> {
  for (const name of await checkpoint.list()) if (name.startsWith('chunk-')) await checkpoint.remove(name);
}

async function fixedNoise(
  gradients: Gradients,
  state: SgdState,
  order: Int32Array,
  batchSize: number,
  mean: Float64Array,
  breathe: () => Promise<void>,
): Promise<{ rows: Float32Array; state: SgdState }> {
  const rows = new Float32Array((order.length / batchSize) * mean.length);
  let offset = 0;
  for (const values of gradients.batches(state.weights, order, batchSize)) {
    rows.set(subtractMean(values, mean), offset);
    offset += values.length;
    await breathe();
  }
  return { rows, state };
}

function bytesOf(rows: Float32Array): Uint8Array {
  return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
}

/** The last checkpoint with the noise of the epochs that lags still reach; undefined if there is none, or a file of it is gone. */
async function restore(
  context: StageContext<NoiseWith>,
  tail: number,
): Promise<{ checkpoint: SumsCheckpoint; kept: Float32Array[] } | undefined> {
  const bytes = await context.checkpoint.read(checkpointName);
  if (bytes === undefined) return undefined;
  const checkpoint = deserialize(bytes) as SumsCheckpoint;
  const kept: Float32Array[] = [];
  for (let epoch = Math.max(1, checkpoint.epochsDone - tail + 1); epoch <= checkpoint.epochsDone; epoch++) {
    const rows = await context.checkpoint.read(rowsName(checkpoint.repeat, epoch));
    if (rows === undefined) return undefined;
    kept.push(new Float32Array(rows.slice().buffer));
  }
  return { checkpoint, kept };
}
