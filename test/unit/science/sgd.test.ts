import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { createEvaluator } from '../../../science/evaluate.ts';
import { standardize } from '../../../science/examples.ts';
import { epochBatches } from '../../../science/sampling.ts';
import { createTrainer, DivergedError, type SgdState, type StepChunk } from '../../../science/sgd.ts';
import { type Specimen, zoo, zooTraining } from './models/zoo.ts';
import { lossAndGradient } from './oracle/double-network.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const specimens = zoo(47);
const learningRate = 0.05;

function startOf({ weights, model }: Specimen): SgdState {
  return { weights, velocity: new Float32Array(model.size), step: 0 };
}

async function run(
  specimen: Specimen,
  from: SgdState,
  epochs: readonly number[],
  recordWeights = true,
): Promise<StepChunk[]> {
  const { model, data } = specimen;
  const trainer = createTrainer({
    tf,
    model,
    data,
    standardize: 'scale',
    training: zooTraining,
    recordWeights,
  });
  const chunks: StepChunk[] = [];
  let state = from;
  for (const epoch of epochs) {
    for await (const chunk of trainer.epoch(state, epoch, learningRate)) {
      chunks.push(chunk);
      state = chunk.state;
    }
  }
  trainer.dispose();
  return chunks;
}

describe.each(specimens)('SGD of $name', (specimen) => {
  const { model, network, data } = specimen;

  test('follows equation (1) in double precision, with the loss of each batch before its update', async () => {
    const chunks = await run(specimen, startOf(specimen), [0]);
    const losses = chunks.flatMap((chunk) => [...chunk.losses]);
    const recorded = chunks.flatMap(({ weights }) =>
      Array.from({ length: weights!.length / model.size }, (_, row) =>
        weights!.subarray(row * model.size, (row + 1) * model.size),
      ),
    );
    expect(losses).toHaveLength(23);
    expect(recorded).toHaveLength(23);

    const inputs = standardize(data, 'scale');
    const order = epochBatches('without-replacement', { examples: 47, batchSize: 2, seed: 4 }, 0);
    const theta = Float64Array.from(specimen.weights);
    const velocity = new Float64Array(model.size);
    for (const [k, loss] of losses.entries()) {
      const batch = [...order.subarray(2 * k, 2 * k + 2)];
      const expected = lossAndGradient(
        network,
        theta,
        {
          inputs: batch.flatMap((example) => [...inputs.subarray(example * 60, example * 60 + 60)]),
          labels: batch.map((example) => data.labels[example]!),
        },
        zooTraining.l2,
      );
      expect(loss).toBeCloseTo(expected.loss, 5);
      for (let i = 0; i < theta.length; i++) {
        velocity[i] = -learningRate * expected.gradient[i]! + zooTraining.momentum * velocity[i]!;
        theta[i]! += velocity[i]!;
      }
      const deviation = Math.max(...recorded[k]!.map((weight, i) => Math.abs(weight - theta[i]!)));
      expect(deviation).toBeLessThan(3e-6);
    }
    const moved = Math.max(...theta.map((weight, i) => Math.abs(weight - specimen.weights[i]!)));
    expect(moved).toBeGreaterThan(0.05);
  });

  test('evaluates loss and accuracy like double precision', async () => {
    const evaluate = createEvaluator({
      tf,
      model,
      standardize: 'scale',
      loss: 'cross-entropy',
      l2: zooTraining.l2,
    });
    const { loss } = await evaluate(specimen.weights, data);
    const expected = lossAndGradient(
      network,
      Float64Array.from(specimen.weights),
      { inputs: standardize(data, 'scale'), labels: data.labels },
      zooTraining.l2,
    );
    expect(loss).toBeCloseTo(expected.loss, 6);
  });
});

test('a new trainer goes on from a state with equal bits', async () => {
  const specimen = specimens[2]!;
  const whole = await run(specimen, startOf(specimen), [0, 1]);
  const first = await run(specimen, startOf(specimen), [0]);
  const second = await run(specimen, first.at(-1)!.state, [1]);
  expect([...first, ...second]).toEqual(whole);
});

test('recording the weights changes no bit', async () => {
  const specimen = specimens[3]!;
  const recorded = await run(specimen, startOf(specimen), [0]);
  const plain = await run(specimen, startOf(specimen), [0], false);
  expect(plain.map(({ losses, state }) => ({ losses, state }))).toEqual(
    recorded.map(({ losses, state }) => ({ losses, state })),
  );
  expect(plain.every(({ weights }) => weights === undefined)).toBe(true);
});

test('the last recorded weights of a chunk are those of its state', async () => {
  const specimen = specimens[0]!;
  for (const { weights, state } of await run(specimen, startOf(specimen), [0])) {
    expect(weights!.subarray(-specimen.model.size)).toEqual(state.weights);
  }
});

test('numbers the steps from 1, without gaps', async () => {
  const specimen = specimens[0]!;
  const chunks = await run(specimen, startOf(specimen), [0, 1]);
  const steps = chunks.flatMap(({ firstStep, losses }) => Array.from(losses, (_, i) => firstStep + i));
  expect(steps).toEqual(Array.from({ length: 46 }, (_, i) => i + 1));
});

test('leaves no tensor behind', async () => {
  const specimen = specimens[2]!;
  const before = tf.memory().numTensors;
  await run(specimen, startOf(specimen), [0, 1]);
  expect(tf.memory().numTensors).toBe(before);
});

test('names the step and the learning rate when it diverges', async () => {
  const { model, data, weights } = specimens[2]!;
  const trainer = createTrainer({ tf, model, data, standardize: 'scale', training: zooTraining });
  const from = { weights, velocity: new Float32Array(model.size), step: 100 };
  const steps = async () => {
    for await (const { state } of trainer.epoch(from, 3, 1e30)) expect(state.step).toBeGreaterThan(100);
  };
  const error = await steps().catch((thrown: unknown) => thrown);
  trainer.dispose();
  expect(error).toBeInstanceOf(DivergedError);
  expect((error as Error).message).toMatch(/step 10\d of epoch 4/);
  expect((error as DivergedError).cure).toMatch(/learning rate .*2 \(1 \+ beta\) \/ lambda_max/);
});
