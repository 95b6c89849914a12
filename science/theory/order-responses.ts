import type { Response, SgdProcess } from './process.ts';

/** psi_n = theta_n after a unit pulse at step 0: the solution of (6) with u_0 = 1, for n = 0 ... length - 1. */
function impulseResponse({ learningRate, momentum, eigenvalue }: SgdProcess, length: number): Float64Array {
  const psi = new Float64Array(length);
  let weight = 0;
  let velocity = 1;
  for (let n = 0; n < length; n++) {
    weight += velocity;
    velocity = momentum * velocity - learningRate * eigenvalue * weight;
    psi[n] = weight;
  }
  return psi;
}

/** A(0) - A(h) for h = 0 ... lags, with A the autocovariance of theta for white noise: finite however small lambda is. See `response.ts`. */
function whiteStructure({ learningRate, momentum, eigenvalue }: SgdProcess, lags: number): Float64Array {
  const a = learningRate * eigenvalue;
  const structure = new Float64Array(lags + 1);
  let decrement = 1 / ((1 - momentum) * (2 * (1 + momentum) - a));
  let change = 2 * decrement;
  for (let h = 1; h <= lags; h++) {
    structure[h] = structure[h - 1]! + decrement;
    change = momentum * change - a * decrement;
    decrement += change;
  }
  return structure;
}

/**
 * Paired reversal. The correlations at h > 0 sum to -1/2, hence Gamma(0) = -2 sum_h rho(h) (A(0) - A(h)), of which both parts stay finite as
 * lambda -> 0. Likewise c(h) = sum_j psi_j rho(h + j) is a twofold running sum of psi over the steps left of a pair, and one over every second of them.
 */
export function reversalResponse(process: SgdProcess): Response {
  const m = process.batchesPerEpoch;
  const structure = whiteStructure(process, 2 * m);
  let sum = 0;
  for (let h = 1; h < 2 * m; h++) sum += ((2 * m - h) / m - (h % 2)) * structure[h]!;
  const psi = impulseResponse(process, 2 * m);
  const running = new Float64Array(2 * m + 1);
  const twofold = new Float64Array(2 * m + 1);
  const everySecond = new Float64Array(2 * m + 1);
  for (let n = 1; n <= 2 * m; n++) {
    running[n] = running[n - 1]! + psi[n - 1]!;
    twofold[n] = twofold[n - 1]! + running[n]!;
    everySecond[n] = psi[n - 1]! + (everySecond[n - 2] ?? 0);
  }
  return {
    variance: sum / (m - 1),
    foresight: (lag) => {
      const left = 2 * m - lag;
      return left > 0 ? (everySecond[left]! - twofold[left]! / m) / (2 * (m - 1)) : 0;
    },
  };
}

/**
 * Noise without replacement in slow motion: of a sequence whose n = M / k values have equation (2), one value every k steps, and k such sequences in turn
 * that know nothing of each other. This is what changes from epoch to epoch under block reshuffling.
 */
export function slowedResponse(process: SgdProcess, batchesPerBlock: number): Response {
  const k = batchesPerBlock;
  const blocks = process.batchesPerEpoch / k;
  const pairs = blocks * (blocks - 1);
  const structure = whiteStructure(process, process.batchesPerEpoch);
  let sum = 0;
  for (let j = 1; j < blocks; j++) sum += (blocks - j) * structure[j * k]!;
  const psi = impulseResponse(process, process.batchesPerEpoch);
  const running = new Float64Array(psi.length);
  const twofold = new Float64Array(psi.length);
  for (let n = 0; n < psi.length; n++) {
    running[n] = psi[n]! + (running[n - k] ?? 0);
    twofold[n] = running[n]! + (twofold[n - k] ?? 0);
  }
  return {
    variance: (2 * sum) / pairs,
    foresight: (lag) => -(twofold[process.batchesPerEpoch - k - lag] ?? 0) / pairs,
  };
}

/** The response to a sum of two noises that know nothing of each other, with these shares of the variance. */
export function mixedResponse(parts: readonly (readonly [share: number, response: Response])[]): Response {
  return {
    variance: parts.reduce((sum, [share, { variance }]) => sum + share * variance, 0),
    foresight: (lag) => parts.reduce((sum, [share, { foresight }]) => sum + share * foresight(lag), 0),
  };
}
