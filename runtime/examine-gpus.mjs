// @ts-check
/** What `doctor` says of GPUs: their driver, the CUDA libraries, each GPU with its memory, and whether TensorFlow uses them, or what is missing. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { askTensorFlow } from './ask-tensorflow.mjs';
import { CUDA_VERSIONS, cudaIsBeside } from './setup/gpu/cuda.mjs';
import { chosenNode } from './setup/node.mjs';
import { gpuSetUpCommand } from './setup/places.mjs';
import { readStamp } from './setup/stamp.mjs';
import { runsTypeScript } from './setup/versions.mjs';

/** @typedef {import('./doctor.mjs').Part} Part */
/** @typedef {import('../compute/gpus.ts').Gpu} Gpu */

/**
 * Where to look. `library`: libtensorflow of the CUDA build, undefined without it. `ask`: asks TensorFlow, with these GPUs. `smi`: what nvidia-smi answers, which comes with the driver.
 *
 * @typedef {object} GpuMachine
 * @property {string | undefined} driver
 * @property {readonly Gpu[]} gpus
 * @property {string | undefined} library
 * @property {(gpus: string) => Promise<import('./ask-tensorflow.mjs').Answer>} ask
 * @property {() => Promise<string>} smi
 */

/**
 * @param {GpuMachine} [machine] Default: this one.
 * @returns {Promise<Part[]>}
 */
export async function examineGpus(machine) {
  // Where this Node cannot load what looks for them, there is no set-up yet, and a GPU is of no use.
  if (machine === undefined && !runsTypeScript(process.version))
    return [{ name: 'GPU', status: 'absent', version: '', place: 'looked for after the set-up' }];
  const { driver, gpus, library, ask, smi } = machine ?? (await thisMachine());
  if (driver === undefined && gpus.length === 0 && library === undefined)
    return [{ name: 'GPU', status: 'absent', version: '', place: 'none here: stages compute on the CPU' }];
  const cuda = cudaPart(library, gpus.length > 0);
  const uses = library !== undefined && gpus.length > 0 && cuda.status === 'ok';
  const answer = uses ? await ask(gpus.map(({ name }) => name).join()).catch(String) : undefined;
  const cure =
    driver === undefined
      ? 'install the NVIDIA driver, 525 or newer'
      : 'nvidia-smi   # tells whether the driver works';
  return [driverPart(driver, gpus), cuda, ...gpuParts(gpus, await smi().catch(() => ''), answer, cure)];
}

/** @returns {Promise<GpuMachine>} */
async function thisMachine() {
  const { driverVersion, listGpus } = await import('../compute/gpus.ts');
  const { tensorflow } = readStamp();
  const query = ['--query-gpu=pci.bus_id,name,memory.total', '--format=csv,noheader,nounits'];
  return {
    driver: driverVersion(),
    gpus: listGpus(),
    library: tensorflow?.flavour === 'gpu' ? tensorflow.library : undefined,
    ask: (gpus) => askTensorFlow(chosenNode(), gpus),
    smi: async () => (await promisify(execFile)('nvidia-smi', query)).stdout,
  };
}

/** @param {string | undefined} version @param {readonly Gpu[]} gpus @returns {Part} */
function driverPart(version, gpus) {
  const name = 'NVIDIA driver';
  if (version !== undefined) return { name, status: 'ok', version, place: '/proc/driver/nvidia' };
  const place = gpus.length > 0 ? 'not told; CUDA may find it' : 'none here: stages compute on the CPU';
  return { name, status: 'absent', version: '', place };
}

/** @param {string | undefined} library @param {boolean} needed @returns {Part} */
function cudaPart(library, needed) {
  const name = 'CUDA libraries';
  const cure = gpuSetUpCommand;
  if (library === undefined) {
    const place = 'not installed: the CPU build of TensorFlow is';
    return { name, status: 'absent', version: '', place, ...(needed ? { cure } : {}) };
  }
  const place = path.join(path.dirname(path.dirname(library)), 'nvidia');
  if (cudaIsBeside(library)) return { name, status: 'ok', version: CUDA_VERSIONS, place };
  return { name, status: 'missing', version: '', place: `not beside ${library}`, cure };
}

/**
 * @param {readonly Gpu[]} gpus
 * @param {string} smi Lines of address, name, memory in MiB.
 * @param {import('./ask-tensorflow.mjs').Answer | string | undefined} answer What TensorFlow says, or why it does not; undefined where it was not asked.
 * @param {string} cure
 * @returns {Part[]}
 */
function gpuParts(gpus, smi, answer, cure) {
  if (gpus.length === 0)
    return [{ name: 'GPU', status: 'absent', version: '', place: 'none here: stages compute on the CPU' }];
  const rows = smi.split('\n').map((line) => line.split(',').map((word) => word.trim()));
  return gpus.map(({ name, model, address }) => {
    const [, listed, mebibytes] = rows.find(([place]) => isSame(place, address)) ?? [];
    const seen =
      typeof answer === 'object' ? answer.gpus.find((gpu) => isSame(gpu.address, address)) : undefined;
    const memory = mebibytes === undefined ? [] : [`${(Number(mebibytes) / 1024).toFixed(0)} GiB`];
    const capability = seen === undefined ? [] : [`compute capability ${seen.capability}`];
    const version = [model ?? listed ?? seen?.name ?? 'NVIDIA GPU', ...memory, ...capability].join(', ');
    const part = { name: `GPU ${name}`, version };
    if (answer === undefined) return { ...part, status: 'absent', place: 'there, and not used' };
    if (typeof answer === 'object' && answer.device === 'gpu')
      return { ...part, status: 'ok', place: 'TensorFlow uses it' };
    const why = typeof answer === 'string' ? answer : (answer.trouble ?? 'it does not say why');
    const place = `TensorFlow computes on the CPU: ${why}`;
    return { ...part, status: 'missing', place, cure };
  });
}

/** Addresses are written with four digits of the domain or with eight, and in either case. @param {string | undefined} one @param {string | undefined} other */
function isSame(one, other) {
  const short = (/** @type {string | undefined} */ address) => address?.toLowerCase().slice(-12);
  return one !== undefined && short(one) === short(other);
}
