import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ToyWith } from '../../schemas/types.ts';
import { simulateEpoch, startState, type ToyState } from '../../science/toy/simulate.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { knowsTrace, type ToySetting, toyProblem, toySetting } from '../stage-parts/toy-setting.ts';

/** Values of theta between two checkpoints, about. */
const valuesPerPiece = 1e6;

interface Piece {
  readonly theta: Float32Array;
  readonly loss: Float64Array;
  readonly trace: Float64Array;
  readonly state: ToyState;
}

/** `uses: toy`: SGD on a toy loss in double precision, checkpointed every few epochs. */
export const stage: Stage<ToyWith> = {
  uses: 'toy',
  prospect(settings) {
    const { warmup, epochs, examples, batchSize, noise } = settings;
    const { dimension, eigenvalues, batchesPerEpoch } = toyProblem(settings);
    const steps = epochs * batchesPerEpoch;
    // The loss, and in a valley the trace of the Hessian.
    const more = 1 + Number(eigenvalues === undefined) + Number(knowsTrace(settings));
    const draws = noise.name === 'examples' ? batchSize : 1;
    return {
      outputs: { series: { steps, pairs: dimension, examples, batchSize } },
      bytes: steps * rowBytes('series', dimension, more),
      work: (warmup * batchesPerEpoch + steps) * dimension * (draws + 1),
      like: settings.loss.name,
    };
  },
  async run(context) {
    const { warmup, epochs, examples, batchSize } = context.with;
    const setting = toySetting(context.with);
    const { batchesPerEpoch: m, run } = setting;
    if (examples % batchSize > 0)
      context.note(
        `The last short batch of each epoch, ${examples % batchSize} of ${examples} examples, is dropped.`,
      );
    const total = (warmup + epochs) * m;
    const epochsPerPiece = Math.max(1, Math.floor(valuesPerPiece / (m * run.loss.dimension)));
    let state = startState(setting.start);
    let epoch = 0;
    const pieces: Piece[] = [];
    while (epoch < warmup + epochs) {
      const until = Math.min(epoch + epochsPerPiece, warmup + epochs);
      const name = `until-${String(until).padStart(9, '0')}`;
      const saved = await context.checkpoint.read(name);
      const piece =
        saved === undefined
          ? await simulatePiece(context, setting, state, epoch, until, total)
          : (deserialize(saved) as Piece);
      if (saved === undefined && until < warmup + epochs)
        await context.checkpoint.write(name, serialize(piece));
      state = piece.state;
      pieces.push(piece);
      epoch = until;
    }
    return { series: await writeSeries(context, setting, pieces) };
  },
};

async function simulatePiece(
  context: StageContext<ToyWith>,
  { run, batchesPerEpoch: m }: ToySetting,
  from: ToyState,
  first: number,
  until: number,
  total: number,
): Promise<Piece> {
  const k = run.loss.dimension;
  const steps = Math.max(0, until - Math.max(first, context.with.warmup)) * m;
  const theta = new Float32Array(steps * k);
  const loss = new Float64Array(steps);
  const trace = new Float64Array(steps);
  let state = from;
  let step = 0;
  for (let epoch = first; epoch < until; epoch++) {
    const { state: after, rows } = simulateEpoch(run, state, epoch);
    state = after;
    for (let at = 0; epoch >= context.with.warmup && at < rows.length; at += k, step++) {
      const row = rows.subarray(at, at + k);
      theta.set(row, step * k);
      loss[step] = run.loss.value(row);
      trace[step] = run.loss.hessianTrace(row);
    }
    context.progress({ done: state.step, total, unit: 'steps' });
    await context.breathe();
  }
  return { theta, loss, trace, state };
}

function writeSeries(context: StageContext<ToyWith>, setting: ToySetting, pieces: readonly Piece[]) {
  const { warmup, epochs } = context.with;
  const { batchesPerEpoch: m, eigenvalues, expectedTrace } = setting;
  const before = warmup * m;
  const expected = expectedTrace?.((warmup + epochs) * m);
  return context.write('series', seriesMetadata(context.with, setting), async (writer) => {
    let step = before;
    for (const { theta, loss, trace } of pieces) {
      if (loss.length === 0) continue;
      const first = step;
      step += loss.length;
      await writer.append({
        step: Float64Array.from(loss, (_, row) => first + row + 1),
        theta,
        loss,
        ...(eigenvalues === undefined ? { hessian_trace: trace } : {}),
        ...(expected === undefined ? {} : { hessian_trace_theory: expected.subarray(first, step) }),
      });
    }
  });
}

/** What `project` writes, where equations (12)-(18) apply, so that `analyze` and `fit` read it; and what a figure says of the toy. */
function seriesMetadata(settings: ToyWith, setting: ToySetting): Record<string, string> {
  const { examples, batchSize, learningRate, momentum, seed, noise, loss, epochs, warmup } = settings;
  const { batchesPerEpoch, eigenvalues, noiseVariances, weightVariances } = setting;
  const training = {
    ...{ examples, batchSize, batchesPerEpoch, ...setting.order },
    ...{ learningRate, momentum, seed },
  };
  const toy = { loss, noise, ...training, epochs, warmup, eigenvalues, noiseVariances, weightVariances };
  const described = eigenvalues !== undefined && (noise.name === 'examples' || noise.name === 'white');
  return writeMetadata({
    toy,
    reference: 'theta is relative to the minimum of the loss, in double precision rounded to float32',
    ...(described ? { training, data: { train: null, test: null }, eigenvalues } : {}),
  });
}
