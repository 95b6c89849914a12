import { writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { TensorFlow } from '../../../compute/tensorflow.ts';
import type { RecordWith } from '../../../schemas/types.ts';
import { createProjection, type Projection } from '../../../science/projection.ts';
import { createSketch } from '../../../science/sketch.ts';
import type { StageContext } from '../../kinds/stage.ts';
import { projectedOn, readBasis } from '../basis.ts';
import { checkProjectable } from '../checks.ts';

type Context = StageContext<RecordWith>;

/** Rows projected at once: the basis is widened to doubles for each product, which takes a small part of its time then. */
const rowsAtOnce = 200;

/** A series that is recorded in place of the weights, or beside them. */
interface Recorded {
  /** Of the output, and of its files in the checkpoint. */
  readonly name: 'series' | 'sketch';
  /** k */
  readonly count: number;
  /** For the progress: "onto 200 eigenvectors". */
  readonly words: string;
  open(reference: Float32Array): Projection;
  readonly metadata: Parameters<typeof writeMetadata>[0];
}

/** The series that the settings of a recording of P weights ask for. */
export async function openRecordedSeries(
  context: Context,
  tf: TensorFlow,
  size: number,
): Promise<RecordedSeries> {
  const { onto, sketch } = context.with;
  const series: Recorded[] = [];
  if (onto !== undefined) {
    const eigenpairs = await context.store.open(onto);
    const basis = readBasis(eigenpairs);
    checkProjectable(size, basis.size, 'onto');
    series.push({
      name: 'series',
      count: basis.count,
      words: `onto ${basis.count} eigenvectors`,
      open: (reference) => createProjection(tf, reference, basis),
      metadata: projectedOn(eigenpairs, context),
    });
  }
  if (sketch !== undefined) {
    const { size: count, seed } = sketch;
    series.push({
      name: 'sketch',
      count,
      words: `in a sketch of ${count} numbers`,
      open: (reference) => createSketch(reference, { count, seed }),
      metadata: {
        sketch: { size: count, seed },
        reference: 'theta is S (weights - the first recorded weights), with a random matrix S',
      },
    });
  }
  return new RecordedSeries(context, series, size);
}

/**
 * The series of a recording: what its settings `onto` and `sketch` ask for, projected while the weights come. The rows of an epoch lie in the checkpoint from its
 * end on, and are read one epoch after the other when the series is written, so that memory does not grow with the recording.
 */
export class RecordedSeries {
  readonly #context: Context;
  readonly #series: readonly Recorded[];
  readonly #size: number;
  #open: readonly Projection[] | undefined;
  #reference: Float32Array | undefined;
  #buffer: Float32Array | undefined;
  #buffered = 0;
  #projected: Float32Array[][] = [];

  /** @param size P */
  constructor(context: Context, series: readonly Recorded[], size: number) {
    this.#context = context;
    this.#series = series;
    this.#size = size;
  }

  /** The first recorded weights, to which all are relative, once there are any; undefined without any series. */
  get reference(): Float32Array | undefined {
    return this.#reference;
  }

  /** " onto 200 eigenvectors", or nothing. */
  get words(): string {
    return this.#series.map(({ words }) => ` ${words}`).join(' and');
  }

  /** Goes on with these first recorded weights. */
  goOn(reference: Float32Array | undefined): void {
    this.#reference = reference;
  }

  /** Takes the weights of consecutive steps, rows x P. */
  add(weights: Float32Array): void {
    if (this.#series.length === 0) return;
    this.#reference ??= weights.slice(0, this.#size);
    this.#buffer ??= new Float32Array(rowsAtOnce * this.#size);
    for (let from = 0; from < weights.length; ) {
      const until = Math.min(weights.length, from + this.#buffer.length - this.#buffered);
      this.#buffer.set(weights.subarray(from, until), this.#buffered);
      this.#buffered += until - from;
      from = until;
      if (this.#buffered === this.#buffer.length) this.#project();
    }
  }

  /** Puts what was taken since the last epoch ended into the checkpoint. */
  async endEpoch(epoch: number): Promise<void> {
    this.#project();
    const projected = this.#projected;
    this.#projected = [];
    for (const [index, { name }] of this.#series.entries())
      await this.#context.checkpoint.write(fileOf(name, epoch), joined(projected, index));
  }

  /** Whether the checkpoint has the rows of all these epochs, so many in each. */
  async has(epochs: readonly number[], rows: number): Promise<boolean> {
    for (const { name, count } of this.#series)
      for (const epoch of epochs)
        if ((await this.#context.checkpoint.read(fileOf(name, epoch)))?.byteLength !== 4 * rows * count)
          return false;
    return true;
  }

  /** Writes the outputs. `metadata` are those that a trajectory has too. */
  async write(
    epochs: readonly number[],
    firstStep: number,
    metadata: Readonly<Record<string, string>>,
  ): Promise<Record<string, ArtifactRef>> {
    const outputs: Record<string, ArtifactRef> = {};
    for (const { name, count, metadata: own } of this.#series) {
      const described = { ...metadata, ...writeMetadata(own) };
      outputs[name] = await this.#context.write('series', described, async (writer) => {
        let step = firstStep;
        for (const epoch of epochs) {
          const saved = await this.#context.checkpoint.read(fileOf(name, epoch));
          if (saved === undefined)
            throw new Error(`The rows ${fileOf(name, epoch)} of the checkpoint are gone or torn.`);
          const theta = new Float32Array(saved.slice().buffer);
          const steps = Float64Array.from({ length: theta.length / count }, (_, row) => step + row);
          await writer.append({ step: steps, theta });
          step += steps.length;
        }
      });
    }
    return outputs;
  }

  dispose(): void {
    for (const projection of this.#open ?? []) projection.dispose();
    this.#open = undefined;
    this.#buffer = undefined;
  }

  #project(): void {
    if (this.#buffered === 0) return;
    this.#open ??= this.#series.map((series) => series.open(this.#reference!));
    const rows = this.#buffer!.subarray(0, this.#buffered);
    this.#projected.push(this.#open.map((projection) => projection.project(rows)));
    this.#buffered = 0;
  }
}

function fileOf(series: string, epoch: number): string {
  return `${series}-${String(epoch).padStart(6, '0')}`;
}

/** The rows of one of the series, in order, as bytes. */
function joined(projected: readonly (readonly Float32Array[])[], index: number): Uint8Array {
  const rows = projected.map((all) => all[index]!);
  const values = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const some of rows) {
    values.set(some, at);
    at += some.length;
  }
  return new Uint8Array(values.buffer);
}
