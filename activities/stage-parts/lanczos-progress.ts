import type { LanczosOptions } from '../../science/hessian/lanczos.ts';
import type { Progress, StageContext } from '../kinds/stage.ts';
import type { LanczosCheckpoint } from './lanczos-checkpoint.ts';

/** Steps for each pair that Lanczos takes as a rule, as long as none has converged. */
const stepsOfPair = 3;
/** Steps of the sweeps after the pairs have converged, for each step before, as a rule. */
const sweepShare = 0.4;

/**
 * How far the search for eigenpairs is, counted in products: the steps until the pairs have converged, the sweeps outside of them, and one for each residual. Pairs converge
 * about evenly once the first have, so what they took says how many steps there will be; before, a rule of thumb does.
 */
export class LanczosProgress {
  readonly #top: number;
  #steps: number;
  #swept: number;
  #measured: number;
  #expectedSteps: number;

  /**
   * @param top Pairs that are wanted.
   * @param steps Steps that an earlier run has done.
   * @param measured Residuals that it has measured.
   * @param swept Steps of sweeps that it has done after these.
   */
  constructor(top: number, steps: number, measured: number, swept = 0) {
    this.#top = top;
    this.#steps = steps;
    this.#swept = swept;
    this.#measured = measured;
    this.#expectedSteps = Math.max(stepsOfPair * top, steps);
  }

  step(converged: number): Progress {
    this.#steps++;
    const share = converged / this.#top;
    const byRule = Math.max(stepsOfPair * this.#top, 1.1 * this.#steps);
    const byPairs = share === 0 ? byRule : this.#steps / share;
    this.#expectedSteps = share * byPairs + (1 - share) * byRule;
    return this.#progress(`${converged} of ${this.#top} pairs converged`);
  }

  /** A step of a sweep. */
  sweep(): Progress {
    this.#swept++;
    this.#expectedSteps = this.#steps;
    return this.#progress('looks for further copies');
  }

  residual(): Progress {
    this.#measured++;
    this.#expectedSteps = this.#steps;
    return this.#progress(`residual of ${this.#measured} of ${this.#top} pairs measured`);
  }

  #progress(message: string): Progress {
    const left = this.#top - this.#measured;
    const sweeps =
      this.#measured > 0 ? this.#swept : Math.max(sweepShare * this.#expectedSteps, 1.1 * this.#swept);
    const done = this.#steps + this.#swept + this.#measured;
    const total = Math.ceil(this.#expectedSteps + sweeps) + this.#measured + left;
    return { done, total: Math.max(total, done + left), unit: 'products', message };
  }
}

/** Lets Lanczos go on from a checkpoint, save all that it does there, and say how far it is. */
export function resumable(
  context: Pick<StageContext<unknown>, 'progress'>,
  checkpoint: LanczosCheckpoint,
  top: number,
): Pick<LanczosOptions, 'resume' | 'residuals' | 'onStep' | 'onRestart' | 'onResidual'> {
  const { state, residuals } = checkpoint;
  const { products = 0, sweep } = state ?? {};
  const first = sweep?.firstDone ?? products;
  const progress = new LanczosProgress(top, first, residuals.length, products - first);
  return {
    resume: state,
    residuals,
    async onStep(step) {
      const isFirst = step.sweep.firstDone === undefined;
      context.progress(isFirst ? progress.step(step.converged) : progress.sweep());
      await checkpoint.addStep(step);
    },
    onRestart: (restarted) => checkpoint.restart(restarted),
    async onResidual(residual) {
      context.progress(progress.residual());
      await checkpoint.addResidual(residual);
    },
  };
}
