/** Prints what two lanes compute, in hexadecimal. Argument: threads, 1 or 2. */
import { createHash } from 'node:crypto';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { lanczos } from '../../../science/hessian/lanczos.ts';
import { createHessianProduct } from '../../../science/hessian/product.ts';
import { createTrainer, type SgdState } from '../../../science/sgd.ts';
import { zoo, zooTraining } from './models/zoo.ts';

const { tf, lanes } = await loadTensorFlow({ threads: Number(process.argv[2]), sharing: 'graphs' });
const { model, data } = zoo(230).at(-1)!;
const training = { ...zooTraining, batchSize: 35 };
const common = { tf, model, data, standardize: 'scale', lanes: 2 } as const;
const digest = createHash('sha256');
for (let run = 0; run < 3; run++) {
  const trainer = createTrainer({ ...common, training, recordWeights: true });
  let state: SgdState = { weights: model.initialize(1), velocity: new Float32Array(model.size), step: 0 };
  for await (const chunk of trainer.epoch(state, 0, 0.05)) {
    digest.update(chunk.weights!);
    state = chunk.state;
  }
  trainer.dispose();
  const hessian = createHessianProduct({
    ...common,
    loss: training.loss,
    l2: training.l2,
    weights: state.weights,
  });
  const pairs = await lanczos({
    tf,
    lanes: 2,
    size: model.size,
    product: (vector) => hessian.product(vector),
    top: 4,
    tolerance: 1e-4,
    maxProducts: 60,
    seed: 0,
  });
  hessian.dispose();
  digest.update(pairs.vectors).update(pairs.eigenvalues);
}
console.log(JSON.stringify({ lanes, digest: digest.digest('hex') }));
