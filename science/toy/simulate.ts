import type { ToyLoss } from './loss.ts';
import type { NoiseSource } from './noise-source.ts';

/** Where a toy run stands after an epoch. */
export interface ToyState {
  readonly theta: Float64Array;
  readonly velocity: Float64Array;
  /** What the noise of the last step leaves for the next one: xi of Anti-PGD. */
  readonly carried: Float64Array;
  readonly step: number;
}

/** Thrown when theta is no longer finite. It could be because eta lambda exceeds 2 (1 + beta), beyond which SGD is unstable. */
export class ToyDivergedError extends Error {
  override readonly name = 'ToyDivergedError';
  readonly cure =
    'Lower the learning rate: it must stay below 2 (1 + beta) / lambda_max. Or lower the noise.';
  constructor(step: number) {
    super(`The toy run diverged: theta is not finite at step ${step}.`);
  }
}

export interface ToyRun {
  readonly loss: ToyLoss;
  readonly noise: NoiseSource;
  /** eta */
  readonly learningRate: number;
  /** beta */
  readonly momentum: number;
}

/** The state before the first step. */
export function startState(theta: ArrayLike<number>): ToyState {
  const zeros = () => new Float64Array(theta.length);
  return { theta: Float64Array.from(theta), velocity: zeros(), carried: zeros(), step: 0 };
}

/**
 * One epoch of v_k = -eta grad L(theta_{k-1}) + u_k + beta v_{k-1}, theta_k = theta_{k-1} + v_k: equation (1) with u_k = -eta dg_k, in double
 * precision. Returns theta after each step, M x k, row-major. Throws {@link ToyDivergedError}.
 */
export function simulateEpoch(
  { loss, noise, learningRate, momentum }: ToyRun,
  from: ToyState,
  epoch: number,
): { state: ToyState; rows: Float64Array } {
  const k = loss.dimension;
  const { disturbances, carried } = noise.epoch(epoch, from.carried);
  const theta = from.theta.slice();
  const velocity = from.velocity.slice();
  const gradient = new Float64Array(k);
  const rows = new Float64Array(disturbances.length);
  for (let start = 0; start < rows.length; start += k) {
    loss.gradient(theta, gradient);
    for (let i = 0; i < k; i++) {
      velocity[i] = momentum * velocity[i]! - learningRate * gradient[i]! + disturbances[start + i]!;
      theta[i]! += velocity[i]!;
    }
    rows.set(theta, start);
  }
  const steps = rows.length / k;
  if (!theta.every(Number.isFinite)) throw new ToyDivergedError(firstBadStep(rows, k, from.step));
  return { state: { theta, velocity, carried, step: from.step + steps }, rows };
}

function firstBadStep(rows: Float64Array, dimension: number, before: number): number {
  return before + 1 + Math.floor(rows.findIndex((value) => !Number.isFinite(value)) / dimension);
}
