import { noiseAutocovariance } from '../../../../science/theory/noise.ts';
import type { SgdProcess } from '../../../../science/theory/process.ts';

type Matrix = readonly [number, number, number, number];

const times = (x: Matrix, y: Matrix): Matrix => [
  x[0] * y[0] + x[1] * y[2],
  x[0] * y[1] + x[1] * y[3],
  x[2] * y[0] + x[3] * y[2],
  x[2] * y[1] + x[3] * y[3],
];

/** sigma_theta^2 and sigma_v^2 per unit noise variance, as equations (14)-(17) print them. Loses digits as lambda -> 0. */
export function slidesVariances(process: SgdProcess): { weightVariance: number; velocityVariance: number } {
  const { learningRate: eta, momentum: beta, eigenvalue, batchesPerEpoch: m } = process;
  const a = eta * eigenvalue;
  const d: Matrix = [1 + beta - a, -beta, 1, 0];
  let power: Matrix = [1, 0, 0, 1];
  for (let i = 0; i < m; i++) power = times(power, d);
  const complement: Matrix = [1 - d[0], -d[1], -d[2], 1 - d[3]];
  const determinant = complement[0] * complement[3] - complement[1] * complement[2];
  const inverse: Matrix = [
    complement[3] / determinant,
    -complement[1] / determinant,
    -complement[2] / determinant,
    complement[0] / determinant,
  ];
  const middle: Matrix = [
    power[0] + complement[0] * m - 1,
    power[1] + complement[1] * m,
    power[2] + complement[2] * m,
    power[3] + complement[3] * m - 1,
  ];
  const e = times(times(times(d, middle), inverse), inverse).map((x) => x / (m * (m - 1)));
  const right = [1 - 2 * e[0]!, -e[2]!];
  const scale = eta ** 2 / ((1 - beta) * (2 * (1 + beta) - a));
  return {
    weightVariance: scale * (((1 + beta) / a) * right[0]! + ((2 * beta * (a - 1 - beta)) / a) * right[1]!),
    velocityVariance: scale * (2 * right[0]! + 2 * (a - 2) * right[1]!),
  };
}

/** cov(theta_k, theta_{k+lag}) per unit noise variance: the double sum of equation (2) over the impulse responses. */
export function impulseSum(process: SgdProcess, lag: number, length: number): number {
  const { learningRate, momentum, eigenvalue, batchesPerEpoch, sampling, batchesPerBlock } = process;
  const psi = new Float64Array(length);
  for (let j = 0; j < length; j++) {
    const before = psi[j - 1] ?? 0;
    psi[j] =
      j === 0 ? 1 : before - learningRate * eigenvalue * before + momentum * (before - (psi[j - 2] ?? 0));
  }
  let sum = 0;
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      sum += psi[i]! * psi[j]! * noiseAutocovariance(lag + i - j, batchesPerEpoch, sampling, batchesPerBlock);
    }
  }
  return learningRate ** 2 * sum;
}

/** The same for noise of period M, from the transfer function at the M - 1 frequencies that the noise has. */
export function spectralSum(process: SgdProcess, lag: number): number {
  const { learningRate, momentum, eigenvalue, batchesPerEpoch: m } = process;
  const phi = 1 + momentum - learningRate * eigenvalue;
  let sum = 0;
  for (let n = 1; n < m; n++) {
    const w = (2 * Math.PI * n) / m;
    const re = 1 - phi * Math.cos(w) + momentum * Math.cos(2 * w);
    const im = phi * Math.sin(w) - momentum * Math.sin(2 * w);
    sum += Math.cos(w * lag) / (re ** 2 + im ** 2) / (m - 1);
  }
  return learningRate ** 2 * sum;
}

/** Relative difference. */
export function relative(got: number, expected: number): number {
  return Math.abs(got - expected) / Math.abs(expected);
}
