/** Functions of a network's loss as graphs. */
import type { Tensor } from '@tensorflow/tfjs-node';
import { type CapturedGraph, captureGraph } from '../compute/graph/graph.ts';
import { captureRecipe, captureRecipeInTwoParts } from '../compute/graph/recipe.ts';
import { captureInTwoParts, type TwoPartFunction } from '../compute/graph/two-part-graph.ts';
import type { TensorFlow } from '../compute/tensorflow.ts';
import type { LossName, Objective } from './loss.ts';
import { createModel, descriptionOf, type ModelDescription } from './models/index.ts';

/** A function that is decided by the network, the loss and its settings, which are JSON. It stands at the top of a module. */
type OfObjective<Settings> = (
  tf: TensorFlow,
  objective: Objective,
  settings: Settings,
  inputs: Tensor[],
) => Tensor[];

type OfObjectiveInTwoParts<Settings> = (
  tf: TensorFlow,
  objective: Objective,
  settings: Settings,
  fixed: Tensor[],
  varying: Tensor[],
) => Tensor[];

/** All that decides such a function, as JSON. */
interface Described<Settings> {
  readonly model: ModelDescription;
  readonly loss: LossName;
  readonly settings: Settings;
}

/**
 * Records `fn` as a graph. Those of networks and losses that come with the program are kept for later pieces of work (compute/graph/recipe.ts): they are recorded
 * from a network that is made anew of its description. Those of one's own are recorded each time.
 */
export function recordable<Settings>(fn: OfObjective<Settings>) {
  const recipe = (tf: TensorFlow, { model, loss, settings }: Described<Settings>, inputs: Tensor[]) =>
    fn(tf, { model: modelOf(model), loss }, settings, inputs);
  return (
    tf: TensorFlow,
    objective: Objective,
    settings: Settings,
    examples: readonly Tensor[],
  ): CapturedGraph => {
    const described = describe(objective, settings);
    return described === undefined
      ? captureGraph(tf, (inputs) => fn(tf, objective, settings, inputs), examples)
      : captureRecipe(tf, recipe, described, examples);
  };
}

/** The same for a function in two parts. */
export function recordableInTwoParts<Settings>(fn: OfObjectiveInTwoParts<Settings>) {
  const recipe = (
    tf: TensorFlow,
    { model, loss, settings }: Described<Settings>,
    fixed: Tensor[],
    varying: Tensor[],
  ) => fn(tf, { model: modelOf(model), loss }, settings, fixed, varying);
  return (
    tf: TensorFlow,
    objective: Objective,
    settings: Settings,
    fixed: readonly Tensor[],
    varying: readonly Tensor[],
  ): TwoPartFunction => {
    const described = describe(objective, settings);
    return described === undefined
      ? captureInTwoParts(tf, (at, along) => fn(tf, objective, settings, at, along), fixed, varying)
      : captureRecipeInTwoParts(tf, recipe, described, fixed, varying);
  };
}

function describe<Settings>({ model, loss }: Objective, settings: Settings): Described<Settings> | undefined {
  const description = descriptionOf(model);
  if (description === undefined || typeof loss === 'function') return undefined;
  return { model: description, loss, settings };
}

function modelOf({ spec, imageShape, classes }: ModelDescription) {
  return createModel(spec, imageShape, classes);
}
