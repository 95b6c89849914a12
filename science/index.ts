/**
 * `@epochal/curvature`: second derivatives, Hessian eigenpairs with certificates and SGD with TensorFlow.js, for losses and networks of one's own.
 * What stands here is what the package promises; docs/library.md shows its use. Nothing of the project imports this file.
 */
export {
  checkedForSecondDerivatives,
  prepareSecondDerivatives,
  SecondDerivativeError,
  twiceDifferentiable,
} from '../compute/gradients/second-derivatives.ts';
export { CaptureError } from '../compute/graph/capture-error.ts';
export { type CapturedGraph, captureGraph } from '../compute/graph/graph.ts';
export { captureInTwoParts, type TwoPartFunction } from '../compute/graph/two-part-graph.ts';
export {
  type LoadedTensorFlow,
  type LoadOptions,
  loadTensorFlow,
  MissingBackendError,
  type TensorFlow,
} from '../compute/tensorflow.ts';
export {
  type BatchCurvature,
  type BatchCurvatureOptions,
  createBatchCurvature,
} from './hessian/batch-sharpness.ts';
export { quadratureRule } from './hessian/density.ts';
export { type Eigenpairs, type LanczosOptions, lanczos } from './hessian/lanczos.ts';
export type { Outside } from './hessian/outside.ts';
export {
  type CurvatureMatrix,
  createHessianProduct,
  type HessianProduct,
  type HessianProductOptions,
} from './hessian/product.ts';
export type { EigenvalueOrder } from './hessian/ritz.ts';
export { NotFiniteError } from './hessian/step.ts';
export { hutchPlusPlus } from './hessian/trace.ts';
export { crossEntropy, type LossName, meanSquaredError } from './loss.ts';
export { MismatchError } from './mismatch.ts';
export type { ParameterTensor } from './models/model.ts';
export { createGradients, type Gradients } from './noise/gradients.ts';
export { type ClassificationOptions, classificationProblem } from './own/classification.ts';
export type { Column, Columns } from './own/columns.ts';
export { type EigenpairsOptions, hessianEigenpairs, UnconvergedError } from './own/eigenpairs.ts';
export { type LossProblemOptions, lossProblem } from './own/loss-problem.ts';
export type { Numbers, Problem, Shapes, Tensors } from './own/problem.ts';
export {
  createTrainer,
  DivergedError,
  type SgdSettings,
  type SgdState,
  type StepChunk,
  type Trainer,
} from './sgd.ts';
