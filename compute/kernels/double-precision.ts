import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-node';
import { load } from '../graph/graph.ts';
import { doubleType, GraphDef } from '../graph/graph-def.ts';
import { nativeBackend, type TensorFlow } from '../tensorflow.ts';

/** (x - reference) . v for each row x and each row v, in double precision; see {@link createDeviationProducts}. */
export interface DeviationProducts {
  /** rows x count, rounded to float32, row-major. */
  run(x: Tensor2D, reference: Tensor1D, vectors: Tensor2D): Float32Array;
  dispose(): void;
}

/**
 * A graph whose inputs and outputs are float32, and that computes in float64, which TensorFlow.js has no tensors for:
 *
 *     y = float32( (float64(x) - float64(reference)) float64(vectors)^T ),   x: rows x P, reference: P, vectors: count x P.
 *
 * The differences are exact and the sums have 53 bits. Needs the `tensorflow` backend.
 */
export function createDeviationProducts(tf: TensorFlow): DeviationProducts {
  const backend = nativeBackend(tf);
  const { binding } = backend;
  const graph = new GraphDef();
  const inputs = ['x', 'reference', 'vectors'];
  const cast = (from: string, [SrcT, DstT]: readonly [number, number]) =>
    graph.add('Cast', [from], { SrcT: { type: SrcT }, DstT: { type: DstT } });
  const [x, reference, vectors] = inputs.map((name) =>
    cast(graph.placeholder(name, binding.TF_FLOAT), [binding.TF_FLOAT, doubleType]),
  ) as [string, string, string];
  const T = { type: doubleType };
  const deviations = graph.add('Sub', [x, reference], { T });
  const products = graph.add('MatMul', [deviations, vectors], {
    T,
    transpose_a: { bool: false },
    transpose_b: { bool: true },
  });
  const output = cast(products, [doubleType, binding.TF_FLOAT]);
  const model = load(binding, graph.savedModel());
  const inputNames = inputs.map((name) => `${name}:0`).join(',');
  return {
    run(...tensors) {
      const ids = backend.getInputTensorIds(tensors);
      const [result] = binding.runSavedModel(model, ids, inputNames, `${output}:0`);
      const tensor = backend.createOutputTensor(result!);
      const values = tensor.dataSync() as Float32Array;
      tensor.dispose();
      return values;
    },
    dispose: () => binding.deleteSavedModel(model),
  };
}
