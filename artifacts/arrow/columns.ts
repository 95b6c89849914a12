import type { ArtifactKind } from '../reference.ts';

export type ScalarType = 'int32' | 'int64' | 'float32' | 'float64' | 'utf8';
/** `floats` and `bytes` are fixed-size lists, whose length follows from the first batch. */
export type ColumnType = ScalarType | 'floats' | 'bytes';

export interface KindColumns {
  readonly required: Readonly<Record<string, ColumnType>>;
  /** Whether further columns may follow: numbers as float64, and strings where `text`. */
  readonly more: false | 'numbers' | 'numbers-and-text';
}

const fluctuations = [
  'weight_variance',
  'velocity_variance',
  'noise_variance',
  'correlation_time',
  'correlation_time_sum',
];

/** The columns of each kind of artifact, declared here and nowhere else. */
export const columnsOf: Readonly<Record<ArtifactKind, KindColumns>> = {
  dataset: { required: { image: 'bytes', label: 'int32' }, more: false },
  state: { required: { step: 'int64', epoch: 'int32', weights: 'floats', velocity: 'floats' }, more: false },
  states: {
    required: {
      step: 'int64',
      epoch: 'int32',
      learning_rate: 'float64',
      weights: 'floats',
      velocity: 'floats',
    },
    more: false,
  },
  history: {
    required: doubles([
      'epoch',
      'learning_rate',
      'train_loss',
      'train_accuracy',
      'test_loss',
      'test_accuracy',
    ]),
    more: false,
  },
  trajectory: {
    required: { part: 'int32', sha256: 'utf8', bytes: 'int64', rows: 'int64', first_step: 'int64' },
    more: false,
  },
  'trajectory-part': {
    required: { step: 'int64', epoch: 'int32', batch_loss: 'float32', weights: 'floats' },
    more: false,
  },
  eigenpairs: {
    required: { index: 'int32', eigenvalue: 'float64', residual: 'float64', vector: 'floats' },
    more: false,
  },
  series: { required: { step: 'int64', theta: 'floats' }, more: 'numbers' },
  spectrum: {
    required: {
      index: 'int32',
      ...doubles(['eigenvalue', ...fluctuations, ...fluctuations.map((name) => `${name}_standard_error`)]),
      ...doubles(['weight_variance_theory', 'velocity_variance_theory', 'correlation_time_theory']),
    },
    more: 'numbers',
  },
  autocovariance: {
    required: { lag: 'int32', ...doubles(['measured', 'theory', 'standard_error']) },
    more: 'numbers',
  },
  'noise-spectrum': {
    required: {
      index: 'int32',
      ...doubles(['eigenvalue', 'noise_variance', 'noise_variance_standard_error', 'noise_variance_theory']),
    },
    more: false,
  },
  displacement: {
    required: {
      ...{ index: 'int32', eigenvalue: 'float64', lag: 'int32' },
      ...doubles(['measured', 'standard_error', 'theory', 'relaxations']),
      ...doubles(['exponent', 'exponent_standard_error', 'exponent_theory']),
      verdict: 'int32',
    },
    more: false,
  },
  curvature: {
    required: {
      epoch: 'int32',
      step: 'int64',
      batches: 'int32',
      ...doubles(['learning_rate', 'eigenvalue_0', 'trace', 'trace_standard_error']),
      ...doubles(['batch_sharpness', 'batch_sharpness_standard_error']),
      ...doubles(['threshold_small_batch', 'threshold_full_batch']),
    },
    more: 'numbers',
  },
  'layer-spectrum': {
    required: {
      layer: 'int32',
      index: 'int32',
      ...doubles(['eigenvalue', 'residual', 'noise_variance', 'noise_variance_standard_error']),
    },
    more: false,
  },
  parameters: { required: doubles(['lambda_cross', 'tau_sgd']), more: 'numbers' },
  evaluation: { required: doubles(['loss', 'accuracy', 'examples']), more: false },
  collection: { required: { cell: 'utf8' }, more: 'numbers-and-text' },
};

function doubles(names: readonly string[]): Record<string, 'float64'> {
  return Object.fromEntries(names.map((name) => [name, 'float64' as const]));
}
