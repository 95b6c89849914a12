/** Epochal's side of the benchmark: answers requests as peers/protocol.py does. Arguments: folder of the problem, threads, sharing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Tensor2D } from '@tensorflow/tfjs-node';
import { captureGraph } from '../../compute/graph/graph.ts';
import { loadTensorFlow, type ThreadSharing } from '../../compute/tensorflow.ts';
import { writeNpy } from '../problem/npy.ts';
import type { Problem } from '../problem/problem.ts';
import { type Round, tasks } from './epochal-tasks.ts';

const [folder, threads, sharing] = process.argv.slice(2) as [string, string, ThreadSharing];
const { tf, library, lanes } = await loadTensorFlow({ threads: Number(threads), sharing });
const answer = (values: object) => process.stdout.write(`${JSON.stringify(values)}\n`);
const description = () => JSON.parse(readFileSync(join(folder, 'problem.json'), 'utf8')) as Problem;

function load(name: string): Float32Array {
  const bytes = readFileSync(join(folder, `${name}.npy`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length));
}

/** GFLOP/s of products of large float32 matrices, one a lane: the most that this machine's cores and this library give. */
function matrixRate(): number {
  const n = 2048;
  // A matrix of its own for each lane: equal products would be computed once.
  const inputs = Array.from({ length: lanes + 1 }, () => tf.ones([n, n]));
  const graph = captureGraph(
    tf,
    ([a, ...others]) => others.map((b) => tf.matMul(a as Tensor2D, b as Tensor2D)),
    inputs,
  );
  let best = 0;
  for (let round = 0; round < 6; round++) {
    const begin = performance.now();
    const products = graph.run(inputs);
    best = Math.max(best, (lanes * 2 * n ** 3) / (performance.now() - begin) / 1e6);
    tf.dispose(products);
  }
  graph.dispose();
  tf.dispose(inputs);
  return best;
}

let round: Round | undefined;
answer({
  versions: { libtensorflow: library, 'tfjs-node': tf.version_core, node: process.version },
  tasks: Object.keys(tasks),
});
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as { prepare?: string; result?: string; rate?: true };
  try {
    if (request.rate) answer({ rate: matrixRate() });
    else if (request.prepare !== undefined) {
      round = await tasks[request.prepare]!({ tf, lanes, problem: description(), load });
      if (!request.prepare.startsWith('top')) await round();
      answer({ ready: true });
    } else {
      const [begin, worked] = [performance.now(), process.cpuUsage()];
      const result = await round!();
      const seconds = (performance.now() - begin) / 1000;
      const { user, system } = process.cpuUsage(worked);
      writeNpy(request.result!, Float64Array.from(result));
      answer({
        seconds,
        processorSeconds: (user + system) / 1e6,
        peakBytes: process.resourceUsage().maxRSS * 1024,
      });
    }
  } catch (error) {
    answer({ error: String(error) });
  }
}
