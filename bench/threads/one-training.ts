/** One training of threads.ts: LeNet for four epochs of 50 steps at S = 50. Arguments: seed, threads. */
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import { createTrainer, type SgdState } from '../../science/sgd.ts';
import { benchExamples, benchModel } from '../problem/problem.ts';

const [seed, threads] = process.argv.slice(2).map(Number) as [number, number];
const { tf, lanes } = await loadTensorFlow({ threads, sharing: 'graphs' });
const model = benchModel();
const training = {
  batchSize: 50,
  sampling: 'without-replacement',
  seed,
  momentum: 0.9,
  loss: 'cross-entropy',
  l2: 1e-4,
} as const;
const trainer = createTrainer({
  ...{ tf, model, data: benchExamples(2500), standardize: 'per-image' },
  training,
  lanes,
});
let state: SgdState = { weights: model.initialize(seed), velocity: new Float32Array(model.size), step: 0 };
for (let epoch = 0; epoch < 4; epoch++)
  for await (const chunk of trainer.epoch(state, epoch, 0.005)) state = chunk.state;
trainer.dispose();
