import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-node';
import { doubleType, GraphDef } from '../graph/graph-def.ts';
import { leaseGraph } from '../graph/kept-graphs.ts';
import { openSession, type Session } from '../graph/sessions.ts';
import { nativeBackend, type TensorFlow } from '../native-backend.ts';

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
  const { graph, release } = leaseGraph('deviation products', () => deviationGraph(tf));
  const { session, inputs, output } = graph;
  return {
    run(...tensors) {
      const [tensor] = session.run(tensors, inputs, [output]);
      const values = tensor!.dataSync() as Float32Array;
      tensor!.dispose();
      return values;
    },
    dispose: release,
  };
}

interface DeviationGraph {
  readonly session: Session;
  readonly inputs: readonly string[];
  readonly output: string;
}

function deviationGraph(tf: TensorFlow): DeviationGraph {
  const { TF_FLOAT } = nativeBackend(tf).binding;
  const graph = new GraphDef();
  const inputs = ['x', 'reference', 'vectors'];
  const cast = (from: string, [SrcT, DstT]: readonly [number, number]) =>
    graph.add('Cast', [from], { SrcT: { type: SrcT }, DstT: { type: DstT } });
  const [x, reference, vectors] = inputs.map((name) =>
    cast(graph.placeholder(name, TF_FLOAT), [TF_FLOAT, doubleType]),
  ) as [string, string, string];
  const T = { type: doubleType };
  const deviations = graph.add('Sub', [x, reference], { T });
  const products = graph.add('MatMul', [deviations, vectors], {
    T,
    transpose_a: { bool: false },
    transpose_b: { bool: true },
  });
  const output = cast(products, [doubleType, TF_FLOAT]);
  const session = openSession(tf, graph.savedModel(), graph.size);
  return { session, inputs: inputs.map((name) => `${name}:0`), output: `${output}:0` };
}
