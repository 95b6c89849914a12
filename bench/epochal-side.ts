/** Epochal's side of the benchmark: answers requests as peers/protocol.py does. Arguments: folder of the problem, threads. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadTensorFlow } from '../compute/tensorflow.ts';
import { type Round, tasks } from './epochal-tasks.ts';
import { writeNpy } from './npy.ts';
import type { Problem } from './problem.ts';

const [folder, threads] = process.argv.slice(2) as [string, string];
const { tf, library, lanes } = await loadTensorFlow({ threads: Number(threads), sharing: 'graphs' });
const answer = (values: object) => process.stdout.write(`${JSON.stringify(values)}\n`);
const description = () => JSON.parse(readFileSync(join(folder, 'problem.json'), 'utf8')) as Problem;

function load(name: string): Float32Array {
  const bytes = readFileSync(join(folder, `${name}.npy`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length));
}

/** GFLOP/s of a product of two large float32 matrices: the most that this machine's cores and this library give. */
async function matrixRate(): Promise<number> {
  const n = 2048;
  const [a, b] = [tf.ones([n, n]), tf.ones([n, n])];
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const begin = performance.now();
    const product = tf.matMul(a as never, b as never);
    product.dataSync();
    best = Math.max(best, (2 * n ** 3) / (performance.now() - begin) / 1e6);
    product.dispose();
  }
  tf.dispose([a, b]);
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
    if (request.rate) answer({ rate: await matrixRate() });
    else if (request.prepare !== undefined) {
      round = await tasks[request.prepare]!({ tf, lanes, problem: description(), load });
      if (request.prepare !== 'top') await round();
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
