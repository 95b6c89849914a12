/** What is sure to fail, checked by the dry run from what is known before, and by the run. Each throws {@link InputError}. */
import { InputError } from '../../artifacts/errors.ts';
import {
  createModel,
  type ImageShape,
  type Model,
  ModelError,
  type ModelSpec,
} from '../../science/models/index.ts';
import { blockProblem, type Sampling } from '../../science/sampling.ts';

/** The network, if its layers fit together and the images. */
export function buildModel(spec: ModelSpec, shape: ImageShape, classes: number): Model {
  try {
    return createModel(spec, shape, classes);
  } catch (error) {
    if (error instanceof ModelError) throw new InputError(error.message, error.cure, 'model');
    throw error;
  }
}

/** A set of examples that is read has some. */
export function checkNotEmpty(examples: number | undefined, setting?: string): void {
  if (examples !== 0) return;
  throw new InputError(
    'This set has no examples, since its dataset stage has `testExamples: 0`.',
    'Raise `testExamples`, or leave out what uses the test set.',
    setting,
  );
}

/** An epoch has at least one batch. */
export function checkBatchSize(batchSize: number, examples: number): void {
  if (batchSize <= examples) return;
  throw new InputError(
    `batchSize is ${batchSize}, but there are only ${examples} training examples.`,
    'Choose a smaller batch size or more examples.',
    'batchSize',
  );
}

/** An epoch has at least two batches: one has no noise. */
export function checkNoisyBatch(batchSize: number, examples: number): void {
  if (batchSize <= examples / 2) return;
  throw new InputError(
    `batchSize is ${batchSize} and there are ${examples} examples: an epoch of one batch has no noise.`,
    'Choose a batch size of at most half the examples.',
    'batchSize',
  );
}

/** How examples are drawn; the size of blocks only where there are any. */
export interface Order {
  readonly sampling: Sampling;
  readonly blockSize?: number | undefined;
}

/** The order that these settings mean, after `trained` where they leave it open; its blocks are whole batches, and the examples whole blocks. */
export function checkOrder(
  settings: { readonly sampling?: Sampling | undefined; readonly blockSize?: number | undefined },
  { examples, batchSize }: { readonly examples: number; readonly batchSize: number },
  trained?: Order,
): Order {
  const sampling = settings.sampling ?? trained?.sampling ?? 'without-replacement';
  if (sampling !== 'block-reshuffling') return { sampling };
  const { blockSize = trained?.blockSize } = settings;
  const problem = blockProblem({ examples, batchSize, blockSize });
  if (problem === undefined) return { sampling, blockSize };
  const fitting = Array.from(
    { length: Math.floor(examples / batchSize) },
    (_, i) => (i + 1) * batchSize,
  ).filter((size) => examples % size === 0);
  const cure =
    fitting.length === 0
      ? `Choose a batch size that divides the ${examples} examples first.`
      : `Set \`blockSize\` to one of ${fitting.slice(0, 12).join(', ')}${fitting.length > 12 ? ', ...' : ''}.`;
  throw new InputError(problem, cure, 'blockSize');
}

/** Examples of the Hessian are some of those of the training. */
export function checkSubset(wanted: number | undefined, examples: number | undefined): void {
  if (wanted === undefined || examples === undefined || wanted <= examples) return;
  throw new InputError(
    `examples is ${wanted}, but there are only ${examples} training examples.`,
    'Choose fewer, or leave `examples` out to take all.',
    'examples',
  );
}

/** As many eigenpairs as there are, of those that were asked for. Fewer are given only if they are allowed. */
export function pairsOf(top: number, size: number, partial: 'refuse' | 'allow'): number {
  if (top > size && partial === 'refuse') {
    throw new InputError(
      `top is ${top}, but the network has only ${size} weights, and so many eigenpairs.`,
      `Ask for at most ${size}, or set \`partial: allow\` to get all there are.`,
      'top',
    );
  }
  return Math.min(top, size);
}

/** Lanczos has no more eigenpairs than it has taken products. Fewer than were asked for are given only if they are allowed. */
export function checkIterations(maxIterations: number, pairs: number, partial: 'refuse' | 'allow'): void {
  if (maxIterations >= pairs || partial === 'allow') return;
  throw new InputError(
    `maxIterations is ${maxIterations}, but ${pairs} eigenpairs take at least as many products, and mostly several times that.`,
    'Raise `maxIterations` or leave it out, lower `top`, or set `partial: allow` to go on with those that have converged.',
    'maxIterations',
  );
}

/** Principal components have steps and weights to come from. */
export function checkComponents(components: number, steps: number, size: number): void {
  const most = Math.min(steps - 2, size);
  if (components <= most) return;
  throw new InputError(
    `components is ${components}; ${steps} recorded steps of ${size} weights have at most ${Math.max(most, 0)} after their drift ` +
      'is subtracted.',
    'Ask for fewer components, or record more epochs.',
    'components',
  );
}

interface Images {
  readonly imageShape: ImageShape;
  readonly classes: number;
}

/** Examples are images like those that the network was trained on. */
export function checkImages(examples: Images, trained: Images): void {
  const words = ({ imageShape, classes }: Images) => `${imageShape.join(' x ')} images of ${classes} classes`;
  if (words(examples) === words(trained)) return;
  throw new InputError(
    `The examples are ${words(examples)}; the network was trained on ${words(trained)}.`,
    'Evaluate on data of the dataset that the network was trained on.',
    'data',
  );
}

/** Recorded weights and basis vectors are of one length. */
export function checkProjectable(weights: number, basis: number, setting: string): void {
  if (weights === basis) return;
  throw new InputError(
    `The trajectory has ${weights} weights, the basis vectors have ${basis}.`,
    'Take both from the same network: project the trajectory on the Hessian at its own mean.',
    setting,
  );
}

/** Velocities are differences of consecutive steps, which a trajectory that was thinned out by `every` does not have. */
export function checkConsecutive(every: number | undefined, setting: string): void {
  if (every === undefined || every === 1) return;
  throw new InputError(
    `The recording kept one of ${every} steps, and velocities are differences of consecutive ones.`,
    'Record without `every`; or onto the basis while it runs (`onto` of record), which has every step.',
    setting,
  );
}

/** A sketch mixes all directions: its numbers have no curvature, and so no theory. */
export function checkNoSketch(isSketch: boolean): void {
  if (!isSketch) return;
  throw new InputError(
    'This series is a random sketch, each number of which mixes all directions: there is no curvature, and no theory of its variance.',
    'Analyze a projection on eigenpairs: the output `series` of a recording with `onto`.',
    'series',
  );
}

/** `every` thins out a trajectory that is kept. */
export function checkThinned(every: number | undefined, keepsTrajectory: boolean): void {
  if (every === undefined || keepsTrajectory) return;
  throw new InputError(
    `every is ${every}, but with these settings no trajectory is kept, which it would thin out.`,
    'Add `keep: trajectory`, or leave `every` out: `series` and `sketch` have every step.',
    'every',
  );
}

/** The eigenpairs of a noise stage belong to its network, and there are those that it names. */
export function checkNoiseBasis(
  basis: { readonly size: number; readonly count: number },
  size: number,
  along: readonly number[],
): void {
  if (basis.size !== size) {
    throw new InputError(
      `The basis vectors have ${basis.size} weights, the network has ${size}.`,
      'Take the eigenpairs of the Hessian at the state `from`.',
      'basis',
    );
  }
  const beyond = along.find((index) => index >= basis.count);
  if (beyond !== undefined) {
    throw new InputError(
      `along names eigenvector ${beyond}, but the basis has ${basis.count}, counted from 0.`,
      'Name fewer, or compute more eigenpairs.',
      'along',
    );
  }
}
