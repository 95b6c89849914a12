import { isPeriodic } from './noise.ts';
import { mixedResponse, reversalResponse, slowedResponse } from './order-responses.ts';
import type { Response, SgdProcess } from './process.ts';

/**
 * Solves equation (6), theta_k = (1 - eta lambda) theta_{k-1} + beta (theta_{k-1} - theta_{k-2}) + u_k, for stationary noise with the
 * autocovariance of equation (2), in O(M). The process must be stable.
 *
 * Equations (14)-(16) divide by (1 - D)^2, which is singular as lambda -> 0. Here the same sums are ordered so that no large terms
 * cancel: see each case. `stationaryVariances` is held against (14)-(17) by test.
 */
export function response(process: SgdProcess): Response {
  if (process.sampling === 'with-replacement' || process.batchesPerEpoch === 1) return whiteResponse(process);
  if (isPeriodic(process.sampling)) return periodicResponse(process);
  if (process.sampling === 'paired-reversal') return reversalResponse(process);
  return process.sampling === 'block-reshuffling' ? blockResponse(process) : epochResponse(process);
}

/** First column of F, equation (15): an autoregressive process of second order. */
function whiteResponse({ learningRate, momentum, eigenvalue }: SgdProcess): Response {
  const a = learningRate * eigenvalue;
  const variance = (1 + momentum) / ((1 - momentum) * a * (2 * (1 + momentum) - a));
  return { variance, foresight: () => 0 };
}

/**
 * Without replacement. With A(h) the autocovariance for white noise, Gamma(0) = A(0) - 2 sum_{h=1}^{M-1} (M - h) / (M (M - 1)) A(h).
 * The weights add up to one half, hence Gamma(0) = 2 / (M (M - 1)) sum_h (M - h) (A(0) - A(h)), a sum of positive terms that
 * stay finite as lambda -> 0. The decrements b(h) = A(h) - A(h+1) obey the recursion (6) without its noise.
 */
function epochResponse({ learningRate, momentum, eigenvalue, batchesPerEpoch: m }: SgdProcess): Response {
  const a = learningRate * eigenvalue;
  let decrement = 1 / ((1 - momentum) * (2 * (1 + momentum) - a));
  let change = 2 * decrement;
  let structure = 0;
  let sum = 0;
  for (let h = 1; h < m; h++) {
    structure += decrement;
    sum += (m - h) * structure;
    change = momentum * change - a * decrement;
    decrement += change;
  }
  // c(h) = sum_j psi_j rho(h + j) with psi the impulse response: a twofold running sum of psi over the M - h steps left of an epoch.
  const runningSums = new Float64Array(m + 1);
  let impulse = 0;
  let velocity = 1;
  let total = 0;
  for (let n = 1; n <= m; n++) {
    impulse += velocity;
    velocity = momentum * velocity - a * impulse;
    total += impulse;
    runningSums[n] = runningSums[n - 1]! + total;
  }
  const pairs = m * (m - 1);
  return {
    variance: (2 * sum) / pairs,
    foresight: (lag) => (lag < m ? -runningSums[m - lag]! / pairs : 0),
  };
}

/**
 * Shuffle-once and sequential. The noise is a sum over the M orders of a pulse that repeats every M steps, less its mean, so theta is
 * the same sum over the periodic response p to it, and its autocovariance is the response to p in reversed time.
 */
function periodicResponse(process: SgdProcess): Response {
  const m = process.batchesPerEpoch;
  const pulse = new Float64Array(m).fill(-1 / m);
  pulse[0]! += 1;
  const p = periodicSolution(process, pulse);
  const reversed = Float64Array.from(p, (_, h) => p[(m - h) % m]!);
  const scale = m / (m - 1);
  return {
    variance: scale * periodicSolution(process, reversed)[0]!,
    foresight: (lag) => scale * reversed[lag % m]!,
  };
}

/**
 * Block reshuffling. A batch's noise is the mean over all blocks at its place in a block, which has period k and the share (k - 1) / (M - 1) of the
 * variance, and the rest, which goes through the n blocks without replacement. The autocovariances of both, with their shares, add up to
 * `blockAutocovariance`.
 */
function blockResponse(process: SgdProcess): Response {
  const { batchesPerEpoch: m, batchesPerBlock: k = 1 } = process;
  const kept = (k - 1) / (m - 1);
  return mixedResponse([
    ...(k > 1 ? [[kept, periodicResponse({ ...process, batchesPerEpoch: k })] as const] : []),
    ...(k < m ? [[1 - kept, slowedResponse(process, k)] as const] : []),
  ]);
}

/**
 * The solution of period M of (6) for a forcing of period M and mean zero. Its mean is zero too (sum theta = sum u / (eta lambda)), and
 * asking for that instead of theta_M = theta_0 keeps the two equations for the start well-conditioned as lambda -> 0.
 */
function periodicSolution(process: SgdProcess, forcing: Float64Array): Float64Array {
  const forced = onePeriod(process, forcing, 0, 0);
  const silence = new Float64Array(forcing.length);
  const fromWeight = onePeriod(process, silence, 1, 0);
  const fromVelocity = onePeriod(process, silence, 0, 1);
  // Unknown start (theta, v) just before the period: v returns to itself, and theta sums to zero.
  const a11 = fromWeight.velocity;
  const a12 = fromVelocity.velocity - 1;
  const a21 = fromWeight.sum;
  const a22 = fromVelocity.sum;
  const determinant = a11 * a22 - a12 * a21;
  const weight = (-forced.velocity * a22 + a12 * forced.sum) / determinant;
  const velocity = (-a11 * forced.sum + a21 * forced.velocity) / determinant;
  return onePeriod(process, forcing, weight, velocity).weights;
}

function onePeriod(
  { learningRate, momentum, eigenvalue }: SgdProcess,
  forcing: Float64Array,
  weight: number,
  velocity: number,
): { weights: Float64Array; velocity: number; sum: number } {
  const weights = new Float64Array(forcing.length);
  let sum = 0;
  for (const [k, u] of forcing.entries()) {
    velocity = momentum * velocity - learningRate * eigenvalue * weight + u;
    weight += velocity;
    weights[k] = weight;
    sum += weight;
  }
  return { weights, velocity, sum };
}
