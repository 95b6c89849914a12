import type { TrainingContext } from '../../../artifacts/arrow/training-context.ts';
import type { CellTable } from '../../../report/figures/drawing/data.ts';
import { RandomStream } from '../../../science/random.ts';
import { lambdaCross, tauSgd } from '../../../science/theory/regimes.ts';
import { stationaryVariances } from '../../../science/theory/variances.ts';

/** Hyperparameters with lambda_cross = 3 (1 - 0.8) 50 / (0.02 2000) = 0.75 and tau_SGD = (40 / 3) (1.8 / 0.2) = 120. */
export function training(changes: Partial<TrainingContext> = {}): TrainingContext {
  const base: TrainingContext = {
    model: { name: 'mlp', hidden: [16], activation: 'tanh', initialization: 'glorot-normal' },
    imageShape: [28, 28, 1],
    classes: 10,
    standardize: 'per-image',
    loss: 'cross-entropy',
    l2: 1e-3,
    examples: 2000,
    batchSize: 50,
    batchesPerEpoch: 40,
    sampling: 'without-replacement',
    learningRate: 0.02,
    momentum: 0.8,
    seed: 1,
  };
  return { ...base, ...changes };
}

const quantities = [
  'weight_variance',
  'velocity_variance',
  'correlation_time',
  'correlation_time_sum',
] as const;

/**
 * A spectrum of `directions` eigenvalues from 20 down to 0.02: equations (12)-(18) with a noise variance that scatters about lambda / 10,
 * measured with a standard error of an eighth.
 */
export function spectrumColumns(context: TrainingContext, directions = 60): Record<string, Float64Array> {
  const eigenvalue = Float64Array.from(
    { length: directions },
    (_, i) => 20 * 1000 ** (-i / (directions - 1)),
  );
  const random = new RandomStream(context.seed, 'report-test', context.batchSize);
  const columns: Record<string, Float64Array> = {
    index: Float64Array.from(eigenvalue, (_, i) => i),
    eigenvalue,
  };
  const noise = eigenvalue.map((lambda) => 0.1 * lambda * Math.exp(0.25 * random.normal()));
  columns.noise_variance = noise;
  columns.noise_variance_standard_error = noise.map((value) => value / 20);
  for (const [order, name] of quantities.entries()) {
    const theory = eigenvalue.map((lambda, i) => {
      const { weightVariance, velocityVariance } = stationaryVariances({ ...context, eigenvalue: lambda });
      const tau = (2 * weightVariance) / velocityVariance;
      return [weightVariance * noise[i]!, velocityVariance * noise[i]!, tau, tau][order]!;
    });
    columns[name] = theory.map((value) => value * (1 + random.normal() / 8));
    columns[`${name}_standard_error`] = theory.map((value) => value / 8);
    columns[`${name}_theory`] = theory;
  }
  return columns;
}

/** Curves that fall and rise exponentially. */
export function historyColumns(epochs = 30): Record<string, Float64Array> {
  const epoch = Float64Array.from({ length: epochs }, (_, i) => i + 1);
  const loss = (floor: number) => epoch.map((e) => floor + 2 * Math.exp(-e / 5));
  return {
    epoch,
    learning_rate: epoch.map(() => 0.02),
    train_loss: loss(0.12),
    train_accuracy: epoch.map((e) => 0.98 - 0.7 * Math.exp(-e / 4)),
    test_loss: loss(0.21),
    test_accuracy: epoch.map((e) => 0.95 - 0.7 * Math.exp(-e / 4)),
  };
}

/** A fit a little beside the theory. */
export function parameters(context: TrainingContext): Record<string, number> {
  const crossing = lambdaCross(context);
  const plateau = tauSgd(context);
  return {
    lambda_cross: crossing * 1.06,
    lambda_cross_standard_error: crossing * 0.05,
    lambda_cross_theory: crossing,
    tau_sgd: plateau * 0.97,
    tau_sgd_standard_error: plateau * 0.04,
    tau_sgd_theory: plateau,
  };
}

/** A table of a cell as a figure takes it. */
export function cellTable(
  columns: Record<string, Float64Array>,
  changes: Partial<CellTable> = {},
): CellTable {
  return {
    cellId: 'main',
    label: 'main',
    columns,
    rows: columns[Object.keys(columns)[0]!]!.length,
    ...changes,
  };
}
