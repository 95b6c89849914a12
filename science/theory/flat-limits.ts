import { isStable, type SgdProcess } from './process.ts';
import type { StationaryVariances } from './variances.ts';

/**
 * sigma_theta^2 and sigma_v^2 over sigma_dg^2 for lambda -> 0, in closed form, for any order whose noise has no power at frequency zero: all but
 * with-replacement, where theta diffuses (infinite and NaN). `lambda` of the process is not looked at.
 *
 * Let W be the running sum of the noise, with variance w about its long-run mean, and s the velocity variance at eta = 1. By (1), theta + beta v / (1 - beta)
 * = eta W / (1 - beta) up to a constant, and the stationarity of both sides gives
 *
 *     sigma_theta^2 = eta^2 (w - beta s) / (1 - beta)^2,   s = (1 + 2 sum_{h > 0} rho(h) beta^h) / (1 - beta^2),
 *
 * with w = (M + 1) / 6 without replacement and for paired-reversal, (M + 1) / 12 for one kept order, and (2 M^2 - k^2 - 1) / (12 (M - 1)) for blocks of k.
 */
export function flatLimit(process: Omit<SgdProcess, 'eigenvalue'>): StationaryVariances {
  const { learningRate, momentum, batchesPerEpoch, sampling } = process;
  isStable({ ...process, eigenvalue: 1 });
  if (sampling === 'with-replacement' || batchesPerEpoch === 1)
    return { stable: false, weightVariance: Number.NaN, velocityVariance: Number.NaN };
  const speed = (1 + 2 * discountedCorrelations(process, momentum)) / (1 - momentum ** 2);
  return {
    stable: true,
    weightVariance: (learningRate ** 2 * (sumVariance(process) - momentum * speed)) / (1 - momentum) ** 2,
    velocityVariance: learningRate ** 2 * speed,
  };
}

type Order = Pick<SgdProcess, 'batchesPerEpoch' | 'batchesPerBlock' | 'sampling'>;

/** w */
function sumVariance({ batchesPerEpoch: m, batchesPerBlock: k = 1, sampling }: Order): number {
  if (sampling === 'shuffle-once' || sampling === 'sequential') return (m + 1) / 12;
  return sampling === 'block-reshuffling' ? (2 * m ** 2 - k ** 2 - 1) / (12 * (m - 1)) : (m + 1) / 6;
}

/** sum_{h > 0} rho(h) b^h for 0 <= b < 1. */
function discountedCorrelations(
  { batchesPerEpoch: m, batchesPerBlock: k = 1, sampling }: Order,
  b: number,
): number {
  switch (sampling) {
    case 'shuffle-once':
    case 'sequential':
      return (m * comb(b, m) - comb(b, 1)) / (m - 1);
    case 'block-reshuffling': {
      const blocks = m / k;
      const changing = blocks > 1 ? triangle(b ** k, blocks) / (blocks * (blocks - 1)) : 0;
      return (k * comb(b, k) - comb(b, 1) - (m - k) * changing) / (m - 1);
    }
    case 'paired-reversal': {
      const odd = (b * (1 - b ** (2 * m))) / (1 - b ** 2);
      return (odd - triangle(b, 2 * m) / m) / (2 * (m - 1));
    }
    default:
      return -triangle(b, m) / (m * (m - 1));
  }
}

/** sum_{j > 0} b^(j n) */
function comb(b: number, n: number): number {
  return b ** n / (1 - b ** n);
}

/** sum_{h = 1}^{n} (n - h) b^h */
function triangle(b: number, n: number): number {
  return (b * (n * (1 - b) - (1 - b ** n))) / (1 - b) ** 2;
}
