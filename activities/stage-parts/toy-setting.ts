import { InputError } from '../../artifacts/errors.ts';
import type { ToyWith } from '../../schemas/types.ts';
import {
  antiCorrelatedNoiseVariances,
  antiPgdValleyTrace,
  whiteNoiseVariances,
} from '../../science/theory/injected-noise.ts';
import { type StationaryVariances, stationaryVariances } from '../../science/theory/variances.ts';
import { logRange, quadraticLoss, wideningValley } from '../../science/toy/loss.ts';
import { exampleNoise, type InjectedNoise, injectedNoise } from '../../science/toy/noise-source.ts';
import type { ToyRun } from '../../science/toy/simulate.ts';
import { checkNoisyBatch, checkOrder, type Order } from './checks.ts';

/** A toy run with everything that the settings left out filled in. */
export interface ToySetting {
  readonly run: ToyRun;
  readonly start: readonly number[];
  /** Of the examples; independent draws where the noise is none of examples. */
  readonly order: Order;
  readonly batchesPerEpoch: number;
  /** Of a quadratic. */
  readonly eigenvalues?: readonly number[];
  /** sigma_dg^2 of the examples, or the variance of xi, in each direction. */
  readonly noiseVariances: readonly number[];
  /** sigma_theta^2 in each direction of a quadratic; null where there is no stationary state. */
  readonly weightVariances?: readonly (number | null)[];
  /** Expected Tr H after each of so many steps, of Anti-PGD in a valley. */
  expectedTrace?(steps: number): Float64Array;
}

/** What a toy's loss and start are. Throws {@link InputError} if the settings do not fit together. */
export function toyProblem(settings: ToyWith) {
  const { loss, examples, batchSize } = settings;
  checkNoisyBatch(batchSize, examples);
  const eigenvalues = loss.name === 'quadratic' ? eigenvaluesOf(loss) : undefined;
  if (eigenvalues === undefined) checkValley(settings);
  const dimension = eigenvalues?.length ?? loss.width! + 1;
  const { start } = settings;
  if (start.length !== dimension) {
    throw new InputError(
      `start has ${start.length} values, the loss has ${dimension} weights.`,
      'Give one value for each weight, or leave `start` out.',
      'start',
    );
  }
  const ofExamples = settings.noise.name === 'examples';
  const order: Order = ofExamples ? checkOrder(settings, settings) : { sampling: 'with-replacement' };
  return { eigenvalues, dimension, start, order, batchesPerEpoch: Math.floor(examples / batchSize) };
}

/** True if the theory knows the trace of the Hessian along the run: of Anti-PGD in a valley. */
export function knowsTrace({ loss, noise, momentum }: ToyWith): boolean {
  return loss.name === 'valley' && noise.name === 'anti-correlated' && momentum === 0;
}

/** Throws {@link InputError} if the settings do not fit together. */
export function toySetting(settings: ToyWith): ToySetting {
  const { loss, noise, examples, batchSize, learningRate, momentum, seed } = settings;
  const { eigenvalues, start, batchesPerEpoch, order } = toyProblem(settings);
  const toyLoss = eigenvalues === undefined ? wideningValley(loss.width!) : quadraticLoss(eigenvalues);
  const variances = Array.from({ length: toyLoss.dimension }, (_, i) =>
    noise.covariance === 'hessian' && eigenvalues !== undefined ? noise.scale * eigenvalues[i]! : noise.scale,
  );
  const batches =
    noise.name === 'examples'
      ? exampleNoise({ variances, examples, batchSize, ...order, learningRate, seed })
      : undefined;
  const noiseVariances = batches === undefined ? variances : [...batches.noiseVariances];
  const theory = (eigenvalue: number): StationaryVariances => {
    const process = { learningRate, momentum, eigenvalue };
    if (batches !== undefined) {
      const { sampling, blockSize = batchSize } = order;
      const batchesPerBlock = blockSize / batchSize;
      return stationaryVariances({ ...process, batchesPerEpoch, sampling, batchesPerBlock });
    }
    return noise.name === 'white' ? whiteNoiseVariances(process) : antiCorrelatedNoiseVariances(process);
  };
  return {
    run: {
      loss: toyLoss,
      noise:
        batches ?? injectedNoise({ kind: noise.name as InjectedNoise, variances, batchesPerEpoch, seed }),
      learningRate,
      momentum,
    },
    start,
    order,
    batchesPerEpoch,
    noiseVariances,
    ...(eigenvalues === undefined || noise.name === 'none'
      ? {}
      : {
          weightVariances: eigenvalues.map((eigenvalue, i) => {
            const { stable, weightVariance } = theory(eigenvalue);
            return stable ? weightVariance * noiseVariances[i]! : null;
          }),
        }),
    ...(eigenvalues === undefined ? {} : { eigenvalues }),
    ...(knowsTrace(settings)
      ? { expectedTrace: (steps: number) => valleyTrace(settings, start, steps) }
      : {}),
  };
}

function eigenvaluesOf({ eigenvalues, range }: ToyWith['loss']): readonly number[] {
  if ((eigenvalues === undefined) === (range === undefined)) {
    throw new InputError(
      'A quadratic loss takes either `eigenvalues` or a `range` of them.',
      'Give one of the two, such as `eigenvalues: [1, 0.1]`.',
      'loss',
    );
  }
  return eigenvalues ?? logRange(range!.from, range!.to, range!.count);
}

function checkValley({ loss, noise }: ToyWith): void {
  if (loss.eigenvalues !== undefined || loss.range !== undefined)
    throw new InputError(
      'A valley has no `eigenvalues` or `range`: its curvature changes along it.',
      'Give its `width`.',
      'loss',
    );
  if (noise.name === 'examples') {
    throw new InputError(
      'Noise of examples is for a quadratic loss.',
      'In a valley take `noise: { name: anti-correlated, covariance: isotropic, scale: ... }`, `white` or `none`.',
      'noise',
    );
  }
  if (noise.name !== 'none' && noise.covariance !== 'isotropic')
    throw new InputError(
      'In a valley the Hessian changes from point to point.',
      'Add `covariance: isotropic`.',
      'noise',
    );
}

function valleyTrace({ loss, noise, learningRate }: ToyWith, start: readonly number[], steps: number) {
  const uSquared = start.slice(0, loss.width!).reduce((sum, u) => sum + u * u, 0);
  const valley = { learningRate, width: loss.width!, variance: noise.scale };
  return antiPgdValleyTrace(valley, { uSquared, v: start[loss.width!]! }, steps);
}
