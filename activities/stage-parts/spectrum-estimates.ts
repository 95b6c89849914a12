import { deserialize, serialize } from 'node:v8';
import type { DensityContext, TraceContext } from '../../artifacts/arrow/measurement-contexts.ts';
import type { Metadata } from '../../artifacts/arrow/metadata.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { HessianWith } from '../../schemas/types.ts';
import { type QuadratureRule, quadratureRule } from '../../science/hessian/density.ts';
import type { Eigenpairs } from '../../science/hessian/lanczos.ts';
import { hutchPlusPlus } from '../../science/hessian/trace.ts';
import type { StageContext } from '../kinds/stage.ts';

export interface Matrix {
  readonly tf: TensorFlow;
  readonly size: number;
  /** As of `lanczos`. */
  readonly lanes: number;
  product(vector: Float32Array): Promise<Float64Array>;
}

/** What the stage `hessian` says of the whole spectrum, as metadata of its eigenpairs, if asked for. */
export async function spectrumEstimates(
  context: StageContext<HessianWith>,
  matrix: Matrix,
  pairs: Eigenpairs,
): Promise<Partial<Pick<Metadata, 'trace' | 'density'>>> {
  const { trace, density } = context.with;
  return {
    ...(trace === undefined ? {} : { trace: await traceOf(context, matrix, pairs, trace.probes) }),
    ...(density === undefined
      ? {}
      : { density: await densityOf(context, matrix, density.probes, density.steps) }),
  };
}

/** The trace of a matrix, exact along its known eigenpairs, checkpointed after each probe. */
export async function traceOf(
  {
    checkpoint,
    progress,
    with: { seed },
  }: Pick<StageContext<{ seed: number }>, 'checkpoint' | 'progress' | 'with'>,
  matrix: Matrix,
  { eigenvalues, vectors }: Pick<Eigenpairs, 'eigenvalues' | 'vectors'>,
  probes: number,
): Promise<TraceContext> {
  const bytes = await checkpoint.read('trace');
  const samples = bytes === undefined ? [] : (deserialize(bytes) as number[]);
  const { size } = matrix;
  const { trace, standardError, within } = await hutchPlusPlus({
    ...matrix,
    known: Array.from(eigenvalues, (_, i) => vectors.subarray(i * size, (i + 1) * size)),
    knownTrace: eigenvalues.reduce((sum, value) => sum + value, 0),
    sketch: 0,
    probes,
    seed,
    resume: [...samples],
    async onSample(sample) {
      samples.push(sample);
      await checkpoint.write('trace', serialize(samples));
      progress({ done: samples.length, total: probes, unit: 'trace probes' });
    },
  });
  return { trace, standardError, alongEigenpairs: within, probes };
}

async function densityOf(
  { checkpoint, progress, with: { seed } }: StageContext<HessianWith>,
  matrix: Matrix,
  probes: number,
  steps: number,
): Promise<DensityContext> {
  const rules: QuadratureRule[] = [];
  for (let probe = 0; probe < probes; probe++) {
    const name = `density-${String(probe).padStart(5, '0')}`;
    const bytes = await checkpoint.read(name);
    if (bytes === undefined) {
      rules.push(await quadratureRule({ ...matrix, steps, seed }, probe));
      await checkpoint.write(name, serialize(rules[probe]));
    } else rules.push(deserialize(bytes) as QuadratureRule);
    progress({ done: probe + 1, total: probes, unit: 'density probes' });
  }
  const shares = rules.flatMap(({ nodes, weights }) =>
    nodes.map((node, j) => [node, weights[j]! / probes] as const),
  );
  shares.sort(([a], [b]) => b - a);
  return {
    probes,
    steps,
    nodes: shares.map(([node]) => node),
    weights: shares.map(([, weight]) => weight),
  };
}
