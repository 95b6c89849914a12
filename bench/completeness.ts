/**
 * `node bench/completeness.ts [examples] [top] [tolerance]`: how many products LeNet's first eigenpairs take, and how many of them are for what lies
 * outside.
 */
import { loadTensorFlow } from '../compute/tensorflow.ts';
import { lanczos } from '../science/hessian/lanczos.ts';
import { createHessianProduct } from '../science/hessian/product.ts';
import { benchExamples, benchModel, seed } from './problem/problem.ts';

const [examples = 1000, top = 100, tolerance = 1e-4] = process.argv.slice(2).map(Number);
const { tf, lanes } = await loadTensorFlow({ threads: 2, sharing: 'graphs' });
const model = benchModel();
const hessian = createHessianProduct({
  ...{ tf, model, data: benchExamples(examples), standardize: 'per-image', loss: 'cross-entropy', l2: 1e-4 },
  ...{ weights: model.initialize(seed), lanes },
});
const { products, outside, converged, eigenvalues } = await lanczos({
  ...{ tf, size: model.size, lanes, product: (vector) => hessian.product(vector) },
  ...{ top, tolerance, seed, maxProducts: 60 * top + 1000 },
});
const last = eigenvalues[top - 1]! / eigenvalues[0]!;
console.log(
  `LeNet, ${examples} examples: ${converged} of ${top} pairs to ${tolerance}, the last ${last.toPrecision(2)} of the first:`,
);
console.log(`${products} Lanczos steps, ${outside.products} of them in further sweeps`);
