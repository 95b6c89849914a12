// @ts-check
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { moduleFile } from '../artifacts/module-file.mjs';

const run = promisify(execFile);

/**
 * What TensorFlow says of itself. `library`: version of libtensorflow. `binding`: that of TensorFlow.js. `device`: what the binding computes on.
 *
 * @typedef {object} Answer
 * @property {string} library
 * @property {string} binding
 * @property {'cpu' | 'gpu'} device
 * @property {GpuSeen[]} gpus Those that TensorFlow uses.
 * @property {string | undefined} trouble Its first warning or error, such as why it uses no GPU.
 */

/**
 * `name`: its model. `memory`: what TensorFlow may take of it, in MiB. `capability`: the compute capability, "9.0".
 *
 * @typedef {{ name: string, address: string, memory: number, capability: string }} GpuSeen
 */

/**
 * Loads TensorFlow in a process of its own, which a crash does not take this one with. Throws the error of that process if it does not load.
 *
 * @param {string} node Program that runs it.
 * @param {string | undefined} gpus Those that it may see, as `CUDA_VISIBLE_DEVICES`; undefined leaves that as it is.
 * @returns {Promise<Answer>}
 */
export async function askTensorFlow(node, gpus) {
  const script = moduleFile(path.dirname(fileURLToPath(import.meta.url)), 'probe-tensorflow');
  const seen = gpus === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpus };
  // Which GPUs it has made use of is only said as information.
  const env = { ...process.env, ...seen, TF_CPP_MIN_LOG_LEVEL: '0' };
  const { stdout, stderr } = await run(node, ['--disable-warning=ExperimentalWarning', script], { env });
  return { ...JSON.parse(stdout), ...readWords(stderr) };
}

/**
 * What TensorFlow's log tells of GPUs.
 *
 * @param {string} log
 * @returns {Pick<Answer, 'gpus' | 'trouble'>}
 */
export function readWords(log) {
  const found =
    /Created device \S+ with (\d+) MB memory:\s+-> device: \d+, name: (.+?), pci bus id: (\S+?), compute capability: ([\d.]+)/g;
  const gpus = Array.from(log.matchAll(found), ([, memory, name, address, capability]) => ({
    name: name ?? '',
    address: address ?? '',
    memory: Number(memory),
    capability: capability ?? '',
  }));
  return { gpus, trouble: /^[WE]\d{4} .*?\] (.*)$/m.exec(log)?.[1] };
}
