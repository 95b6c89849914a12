import { levenbergMarquardt } from 'ml-levenberg-marquardt';
import type { Sampling } from '../sampling.ts';
import {
  crossoverCorrelationTime,
  crossoverShape,
  crossoverSlope,
  type Hyperparameters,
  lambdaCross,
  tauSgd,
} from '../theory/regimes.ts';
import { chiSquareTail } from './chi-square.ts';
import { estimate, type Fitted, notFitted, undecided } from './estimate.ts';
import type { FitRow } from './fit-rows.ts';
import { Profile } from './profile.ts';

/**
 * What the fit of the crossover has found. NaN where the data decide nothing. Theory has lambda_cross = 3 (1 - beta) / (eta M) and
 * tau_SGD = (M / 3) (1 + beta) / (1 - beta) steps.
 */
export interface CrossoverFit {
  readonly lambdaCross: Fitted;
  readonly tauSgd: Fitted;
  /** Correlation of the errors of ln lambda_cross and ln tau_sgd. */
  readonly correlation: number;
  /** Sum of squared residuals in standard errors, over the degrees of freedom. */
  readonly reducedChiSquare: number;
  /** Probability of a chi-square that is at least as large, if the curve is right. */
  readonly chance: number;
  /** Share of the weighted variance of ln tau that the fit explains. */
  readonly rSquared: number;
}

/** Places are looked for so far beyond the fitted eigenvalues, as a factor. */
const beyond = 10;
/** A curve that would fit this badly less often than so does not describe the data. */
const implausible = 1e-3;
const none = Number.NaN;

/** Fits lambda_cross and tau_SGD, see `fitCorrelationTimes`. What is not fitted, or not determined, is told in `notes`. */
export function fitCrossover(
  input: Hyperparameters & { readonly sampling: Sampling },
  rows: readonly FitRow[],
  notes: string[],
): CrossoverFit {
  const [crossing, plateau] = [lambdaCross(input), tauSgd(input)];
  const whyNot =
    input.sampling === 'paired-reversal' || input.sampling === 'block-reshuffling'
      ? `the curve that is fitted is that of a new order each epoch, not of ${input.sampling}`
      : input.sampling !== 'without-replacement'
        ? `sampling ${input.sampling} has no crossover between them`
        : rows.length < 3
          ? `that takes at least 3 directions, there are ${rows.length}`
          : undefined;
  if (whyNot !== undefined) {
    notes.push(`lambda_cross and tau_SGD are not fitted: ${whyNot}.`);
    return {
      lambdaCross: { ...notFitted, theory: crossing },
      tauSgd: { ...notFitted, theory: plateau },
      ...{ correlation: none, reducedChiSquare: none, chance: none, rSquared: none },
    };
  }
  const data = logarithms(rows, crossing, plateau);
  const [logCrossing, logPlateau] = leastSquares(data, [Math.log(crossing), Math.log(plateau)]);
  const [smallest, largest] = [rows[0]!.eigenvalue, rows.at(-1)!.eigenvalue];
  const [lowest, highest] = [Math.log(smallest / beyond), Math.log(largest * beyond)];
  const best = Math.min(Math.max(logCrossing, lowest), highest);
  const profile = new Profile({ ...data, shape: (place) => shapes(data.x, place) }, best, [lowest, highest]);
  const isInside = logCrossing >= Math.log(smallest) && logCrossing <= Math.log(largest);
  const ofCrossing = estimate(
    Math.exp(logCrossing),
    crossing,
    { interval: (bound) => profile.places(bound), rise: (place) => profile.rise(place) },
    isInside,
  );
  const ofPlateau = estimate(Math.exp(logPlateau), plateau, {
    interval: (bound) => profile.levels(bound),
    rise: (level) => profile.riseOfLevel(level),
  });
  notes.push(...undecided('lambda_cross', ofCrossing), ...undecided('tau_SGD', ofPlateau));
  const fitted = {
    lambdaCross: ofCrossing,
    tauSgd: ofPlateau,
    correlation: correlationOf(data, logCrossing),
    reducedChiSquare: profile.chiSquare / (rows.length - 2),
    chance: chiSquareTail(profile.chiSquare, rows.length - 2),
    rSquared: 1 - profile.chiSquare / spreadOf(data),
  };
  if (fitted.chance < implausible) {
    const [each, chance] = [fitted.reducedChiSquare, fitted.chance].map((x) => Number(x.toPrecision(2)));
    notes.push(
      `The curve of theory's shape does not describe the correlation times: chi-square is ${each} for each of ${rows.length - 2} degrees of freedom, which chance alone exceeds with a probability of ${chance}. Intervals and deviations of lambda_cross and tau_SGD are those of a curve that does.`,
    );
  }
  return fitted;
}

interface Logarithms {
  readonly x: readonly number[];
  /** ln tau_i - ln kappa_i */
  readonly y: readonly number[];
  readonly sigma: readonly number[];
}

function logarithms(rows: readonly FitRow[], crossing: number, plateau: number): Logarithms {
  const sigma = rows.map((row) => row.correlationTimeError);
  const y = rows.map((row, i) => {
    const overdamped = crossoverCorrelationTime(row.eigenvalue, crossing, plateau);
    // The logarithm of an estimate with relative error sigma is sigma^2 / 2 too low on average.
    return Math.log((row.correlationTime / row.correlationTimeTheory) * overdamped) + sigma[i]! ** 2 / 2;
  });
  return { x: rows.map((row) => row.eigenvalue), y, sigma };
}

/** ln f at every eigenvalue. */
function shapes(x: readonly number[], logCrossing: number): number[] {
  const crossing = Math.exp(logCrossing);
  return x.map((eigenvalue) => Math.log(crossoverShape((3 * eigenvalue) / crossing)));
}

function leastSquares(
  { x, y, sigma }: Logarithms,
  start: readonly [number, number],
): readonly [number, number] {
  const curve = ([logCrossing, logPlateau]: readonly number[], i: number) =>
    logPlateau! + Math.log(crossoverShape((3 * x[i]!) / Math.exp(logCrossing!)));
  // Data and curve are divided by their errors here, and the abscissa is the direction's number: the library's own `weights` (5.1.0) multiply
  // in its normal matrix but divide in its residuals, so that weights other than 1 do not lead to the minimum.
  const { parameterValues } = levenbergMarquardt(
    { x: x.map((_, i) => i), y: y.map((value, i) => value / sigma[i]!) },
    (trial) => (i) => curve(trial, i) / sigma[i]!,
    {
      initialValues: [...start],
      jacobianFunction: (trial) => (i) => [
        -crossoverSlope((3 * x[i]!) / Math.exp(trial[0]!)) / sigma[i]!,
        1 / sigma[i]!,
      ],
      // Twelve orders of magnitude about theory's values are room enough, and keep exp() finite where the data do not decide.
      minValues: start.map((value) => value - Math.log(1e6)),
      maxValues: start.map((value) => value + Math.log(1e6)),
      maxIterations: 200,
      errorTolerance: 1e-10,
    },
  );
  return parameterValues as unknown as readonly [number, number];
}

/** From J^T W J at the optimum. */
function correlationOf({ x, sigma }: Logarithms, logCrossing: number): number {
  let [a, b, total] = [0, 0, 0];
  for (const [i, eigenvalue] of x.entries()) {
    const slope = -crossoverSlope((3 * eigenvalue) / Math.exp(logCrossing));
    const weight = sigma[i]! ** -2;
    a += weight * slope ** 2;
    b += weight * slope;
    total += weight;
  }
  return -b / Math.sqrt(a * total);
}

function spreadOf({ y, sigma }: Logarithms): number {
  const total = sigma.reduce((sum, error) => sum + error ** -2, 0);
  const mean = y.reduce((sum, value, i) => sum + value * sigma[i]! ** -2, 0) / total;
  return y.reduce((sum, value, i) => sum + ((value - mean) / sigma[i]!) ** 2, 0);
}
