import type { Tensor } from '@tensorflow/tfjs-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareReductionGradients } from '../../../compute/gradients/reduction-gradients.ts';
import { prepareSecondDerivatives } from '../../../compute/gradients/second-derivatives.ts';
import { prepareWindowPooling } from '../../../compute/gradients/window-pooling.ts';
import { captureGraph } from '../../../compute/graph/graph.ts';
import { mostKeptBytes } from '../../../compute/graph/kept-graphs.ts';
import { captureRecipe, captureRecipeInTwoParts, type Recipe } from '../../../compute/graph/recipe.ts';
import { openSessions } from '../../../compute/graph/sessions.ts';
import { createDeviationProducts } from '../../../compute/kernels/double-precision.ts';
import {
  beginWork,
  endWork,
  holdings,
  loadTensorFlow,
  type TensorFlow,
} from '../../../compute/tensorflow.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const recorded = () => holdings()!.recorded;

/** The next piece of work. */
async function begin(mayKeep = true): Promise<void> {
  endWork();
  beginWork(mayKeep);
  await loadTensorFlow({ threads: 1 });
}
beforeEach(() => begin());
afterEach(() => endWork());

const scaled: Recipe<{ by: number }> = (engine, { by }, [x]) => [engine.mul(x!, by)];
const run = (by: number, values: number[], recipe: Recipe<{ by: number }> = scaled): number[] => {
  const x = tf.tensor1d(values);
  const graph = captureRecipe(tf, recipe, { by }, [x]);
  const [y] = graph.run([x]);
  graph.dispose();
  return [...y!.dataSync()];
};

test('a graph is recorded once for all pieces of work that ask for the same', async () => {
  const before = recorded();
  expect(run(3, [1, 2])).toEqual([3, 6]);
  expect(run(3, [4, 5])).toEqual([12, 15]);
  await begin();
  expect(run(3, [5, 6])).toEqual([15, 18]);
  expect(recorded()).toBe(before + 1);
  // Nothing of it is among the tensors.
  await begin();
  expect(holdings()!.tensors).toBe(0);
});

test('other settings, shapes, types and functions are other graphs, and so is a function that was made anew', async () => {
  run(4, [1, 2]);
  const before = recorded();
  expect(run(5, [1, 2])).toEqual([5, 10]);
  expect(run(4, [1, 2, 3])).toEqual([4, 8, 12]);
  const whole = tf.tensor1d([1, 2], 'int32');
  captureRecipe(tf, scaled, { by: 4 }, [whole]);
  const more: Recipe<{ by: number }> = (engine, { by }, [x]) => [engine.add(x!, by)];
  expect(run(4, [1, 2], more)).toEqual([5, 6]);
  expect(recorded()).toBe(before + 4);
  const anew =
    (add: number): Recipe<{ by: number }> =>
    (engine, { by }, [x]) => [engine.add(x!, by + add)];
  expect(run(4, [1, 2], anew(1))).toEqual([6, 7]);
  expect(run(4, [1, 2], anew(2))).toEqual([7, 8]);
});

test('what is recorded sees its settings as they are in the key, and not what lies beside them', () => {
  const settings = { by: 2, hidden: () => 7 };
  const seen: unknown[] = [];
  const curious: Recipe<typeof settings> = (engine, given, [x]) => {
    seen.push(given);
    return [engine.mul(x!, given.by)];
  };
  const x = tf.tensor1d([1]);
  captureRecipe(tf, curious, settings, [x]);
  expect(seen).toEqual([{ by: 2 }]);
});

test('a graph that depends on a tensor from outside is not kept', async () => {
  const outside: { tensor?: Tensor } = {};
  const closing: Recipe<object> = (engine, _settings, [x]) => [engine.add(x!, outside.tensor!)];
  for (const value of [1, 2, 3, 4]) {
    outside.tensor = tf.scalar(value);
    // An operation has taken some of them before, others have not been taken by any.
    if (value > 2) tf.neg(outside.tensor);
    const x = tf.tensor1d([10]);
    expect([...captureRecipe(tf, closing, {}, [x]).run([x])[0]!.dataSync()]).toEqual([10 + value]);
    await begin();
  }
});

test('other gradients are other graphs', async () => {
  const slope: Recipe<object> = (engine, _settings, [x]) => [
    engine.grad((at: Tensor) => engine.sum(engine.sum(engine.tanh(at), 1)))(x!),
  ];
  const nodes = () => {
    const x = tf.tensor2d([[0.5, 1]]);
    return captureRecipe(tf, slope, {}, [x]).nodes;
  };
  const plain = nodes();
  prepareReductionGradients(tf);
  const reduced = nodes();
  prepareSecondDerivatives(tf);
  const twice = nodes();
  expect(new Set([plain, reduced, twice]).size).toBe(3);
  const before = recorded();
  await begin();
  expect(nodes()).toBe(plain);
  prepareReductionGradients(tf);
  expect(nodes()).toBe(reduced);
  expect(recorded()).toBe(before);
});

test('gradients that one piece of work has registered are gone in the next, and are registered there again', async () => {
  const poolings: unknown[] = [];
  for (let work = 0; work < 2; work++) {
    const before = tf.getGradient('MaxPool').gradFunc;
    prepareSecondDerivatives(tf);
    const general = tf.getGradient('MaxPool').gradFunc;
    prepareWindowPooling(tf);
    expect(new Set([before, general, tf.getGradient('MaxPool').gradFunc]).size).toBe(3);
    poolings.push(before);
    await begin();
  }
  expect(poolings[1]).toBe(poolings[0]);
});

test('those in two parts, and in double precision, are kept too', async () => {
  const product = (engine: TensorFlow, { by }: { by: number }, [a]: Tensor[], [v]: Tensor[]) => [
    engine.mul(engine.mul(engine.square(a!), by), v!),
  ];
  const both = () => {
    const [a, v] = [tf.scalar(3), tf.scalar(2)];
    const parts = captureRecipeInTwoParts(tf, product, { by: 5 }, [a], [v]);
    const [one] = parts.run(parts.prepare([a]), [v]);
    const deviations = createDeviationProducts(tf);
    const two = deviations.run(tf.tensor2d([[3, 4]]), tf.tensor1d([1, 1]), tf.tensor2d([[1, 10]]));
    return [one!.dataSync()[0], two[0]];
  };
  expect(both()).toEqual([90, 32]);
  const before = recorded();
  await begin();
  expect(both()).toEqual([90, 32]);
  expect(recorded()).toBe(before);
});

test('nothing is kept, and nothing found, where a piece of work may not, nor outside of one', async () => {
  run(6, [1]);
  const before = recorded();
  await begin(false);
  run(6, [1]);
  run(6, [1]);
  expect(recorded()).toBe(before + 2);
  endWork();
  run(6, [1]);
  expect(recorded()).toBe(before + 3);
});

test('the end of a piece of work gives back the graphs that are not kept', async () => {
  const before = openSessions().size;
  const x = tf.tensor1d([1]);
  const graph = captureGraph(tf, ([at]) => [tf.neg(at!)], [x]);
  expect(openSessions().size).toBe(before + 1);
  await begin();
  expect(openSessions().size).toBe(before);
  graph.dispose();
  expect(openSessions().size).toBe(before);
});

test('those that were used least recently go when all hold too much; one in use stays', async () => {
  const most = mostKeptBytes;
  // A product for each node: some hundred graphs of some thousand nodes are more than fits.
  const long: Recipe<{ by: number }> = (engine, { by }, [x]) => {
    let y = x!;
    for (let i = 0; i < 2000; i++) y = engine.mul(y, by);
    return [y];
  };
  const x = tf.scalar(1);
  const first = captureRecipe(tf, long, { by: 0 }, [x]);
  const used = captureRecipe(tf, long, { by: -1 }, [x]);
  const bytes = [...openSessions()].at(-1)!.bytes;
  const graphs = Math.ceil(most / bytes) + 1;
  used.dispose();
  for (let by = 1; by <= graphs; by++) {
    captureRecipe(tf, long, { by }, [x]).dispose();
    captureRecipe(tf, long, { by: -1 }, [x]).dispose();
  }
  expect([...openSessions()].reduce((sum, session) => sum + session.bytes, 0)).toBeLessThanOrEqual(most);
  const before = recorded();
  expect(first.run([x])[0]!.dataSync()[0]).toBe(0);
  captureRecipe(tf, long, { by: 0 }, [x]);
  captureRecipe(tf, long, { by: -1 }, [x]);
  captureRecipe(tf, long, { by: graphs }, [x]);
  expect(recorded()).toBe(before);
  captureRecipe(tf, long, { by: 1 }, [x]);
  expect(recorded()).toBe(before + 1);
});
