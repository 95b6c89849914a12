import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../native-backend.ts';
import { type CapturedGraph, captureKeyed } from './graph.ts';
import { captureKeyedInTwoParts, type TwoPartFunction } from './two-part-graph.ts';

/**
 * A function that can be recorded for good: it is decided by its settings, which are JSON, and by nothing that lies around it. It is itself part of the key
 * of its graphs, as the object that it is, so it stands at the top of a module: one that is made anew is another function.
 */
export type Recipe<Settings> = (tf: TensorFlow, settings: Settings, inputs: Tensor[]) => Tensor[];

/** The same in two parts. */
export type TwoPartRecipe<Settings> = (
  tf: TensorFlow,
  settings: Settings,
  fixed: Tensor[],
  varying: Tensor[],
) => Tensor[];

/**
 * As `captureGraph`, but within a piece of work (`beginWork`) the graph is kept, and found again by the next that asks for the same. What is recorded is given the
 * settings as they are read from the key of the graph, so that nothing can decide it that the key does not have.
 */
export function captureRecipe<Settings>(
  tf: TensorFlow,
  recipe: Recipe<Settings>,
  settings: Settings,
  examples: readonly Tensor[],
): CapturedGraph {
  const text = JSON.stringify(settings);
  const fn = (inputs: Tensor[]) => recipe(tf, JSON.parse(text) as Settings, inputs);
  return captureKeyed(tf, fn, examples, keyOf(recipe, text));
}

/** As `captureInTwoParts`, kept as by {@link captureRecipe}. */
export function captureRecipeInTwoParts<Settings>(
  tf: TensorFlow,
  recipe: TwoPartRecipe<Settings>,
  settings: Settings,
  fixed: readonly Tensor[],
  varying: readonly Tensor[],
): TwoPartFunction {
  const text = JSON.stringify(settings);
  const fn = (at: Tensor[], along: Tensor[]) => recipe(tf, JSON.parse(text) as Settings, at, along);
  return captureKeyedInTwoParts(tf, fn, fixed, varying, keyOf(recipe, text));
}

const numbers = new WeakMap<object, number>();
let last = 0;

function keyOf(recipe: object, settings: string): string {
  const number = numbers.get(recipe) ?? ++last;
  numbers.set(recipe, number);
  return `${number} ${settings}`;
}
