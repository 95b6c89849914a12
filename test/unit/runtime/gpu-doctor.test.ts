import { expect, test } from 'vitest';
import { listGpus } from '../../../compute/gpus.ts';
import { isGpuBuild } from '../../../compute/native-package.ts';
import { readWords } from '../../../runtime/ask-tensorflow.mjs';
import { examineGpus } from '../../../runtime/examine-gpus.mjs';
import { readSetupStamp } from '../../../runtime/setup-stamp.ts';
import { findUsableGpus } from '../../../runtime/workers/usable-gpus.ts';

const gpus = [{ name: '0', address: '0000:1b:00.0', model: 'NVIDIA H200' }];
const log = `I0000 00:00:1.2   1 gpu_device.cc:2020] Created device /job:localhost/replica:0/task:0/device:GPU:0 with 138192 MB memory:  -> device: 0, name: NVIDIA H200, pci bus id: 0000:1b:00.0, compute capability: 9.0
W0000 00:00:1.2   1 gpu_device.cc:2430] TensorFlow was not built with CUDA kernel binaries compatible with compute capability 12.0.\n`;

test("TensorFlow's log tells which GPUs it uses, and what is wrong", () => {
  expect(readWords(log)).toEqual({
    gpus: [{ name: 'NVIDIA H200', address: '0000:1b:00.0', memory: 138_192, capability: '9.0' }],
    trouble: 'TensorFlow was not built with CUDA kernel binaries compatible with compute capability 12.0.',
  });
  expect(readWords('I0000 00:00:1.2   1 port.cc:153] oneDNN custom operations are on.\n')).toEqual({
    gpus: [],
    trouble: undefined,
  });
});

test('doctor says nothing of CUDA where nobody needs it', async () => {
  const bare = { driver: undefined, gpus: [], library: undefined, ask: fails, smi: fails };
  expect(await examineGpus(bare)).toEqual([
    { name: 'GPU', status: 'absent', version: '', place: 'none here: stages compute on the CPU' },
  ]);
});

test('doctor names the driver and a GPU that is not used, with the command that brings what is missing', async () => {
  const smi = async () => '00000000:1B:00.0, NVIDIA H200, 143771\n';
  const machine = { driver: '570.86.15', gpus, library: undefined, ask: fails, smi };
  expect(await examineGpus(machine)).toEqual([
    { name: 'NVIDIA driver', status: 'ok', version: '570.86.15', place: '/proc/driver/nvidia' },
    {
      name: 'CUDA libraries',
      status: 'absent',
      version: '',
      place: 'not installed: the CPU build of TensorFlow is',
      cure: 'npm run setup -- --gpu',
    },
    { name: 'GPU 0', status: 'absent', version: 'NVIDIA H200, 140 GiB', place: 'there, and not used' },
  ]);
});

test('doctor tells a build for GPUs without its CUDA libraries', async () => {
  const machine = {
    driver: '570.86.15',
    gpus,
    library: '/nowhere/tensorflow/lib.so',
    ask: fails,
    smi: fails,
  };
  expect((await examineGpus(machine))[1]).toMatchObject({
    name: 'CUDA libraries',
    status: 'missing',
    cure: 'npm run setup -- --gpu',
  });
});

test('the GPUs that a worker lends are those that TensorFlow says it uses', async () => {
  expect(await findUsableGpus({ gpus: [], isGpuBuild: true })).toEqual({ gpus: [] });
  const cpuBuild = await findUsableGpus({ gpus, isGpuBuild: false });
  expect(cpuBuild).toEqual({ gpus: [], why: expect.stringContaining('npm run setup -- --gpu') });
  // Asked for real: a build for CPUs, or one that finds no driver, uses none.
  const uses = isGpuBuild() && listGpus().length > 0;
  expect(await findUsableGpus({ gpus, isGpuBuild: true })).toEqual(
    uses ? { gpus } : { gpus: [], why: expect.any(String) },
  );
  expect(isGpuBuild()).toBe(readSetupStamp().tensorflow?.flavour === 'gpu');
});

async function fails(): Promise<never> {
  throw new Error('there is none');
}
