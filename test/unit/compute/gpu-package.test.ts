import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nativePackage } from '../../../compute/native-package.ts';
import { installGpuPackage } from '../../../runtime/setup/gpu/tfjs-node-gpu.mjs';

const root = path.join(import.meta.dirname, '..', '..', '..');
const packages = path.join(root, 'node_modules');
const specimen = `
import { loadTensorFlow, nativeBackend, requireGpu } from './compute/tensorflow.ts';
import { isGpuBuild } from './compute/native-package.ts';

if (process.argv[2] === 'gpu') requireGpu();
try {
  const { tf, device } = await loadTensorFlow({ threads: 1 });
  const { isGPUPackage, isUsingGpuDevice } = nativeBackend(tf);
  const sum = tf.add(1, 2).dataSync()[0];
  console.log(JSON.stringify({ build: isGpuBuild(), isGPUPackage, isUsingGpuDevice, device, sum, environment: process.env }));
} catch ({ name, message, cure }) {
  console.log(JSON.stringify({ name, message, cure }));
}
`;

/** The project as on a GPU node, with the packages of this clone. The binding is that of this clone, too, so that no CUDA library is needed. */
let node: string;
beforeAll(async () => {
  node = mkdtempSync(path.join(tmpdir(), 'epochal-gpu-node-'));
  cpSync(path.join(root, 'compute'), path.join(node, 'compute'), { recursive: true });
  writeFileSync(path.join(node, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(node, 'specimen.ts'), specimen);
  const scope = path.join('node_modules', '@tensorflow');
  mkdirSync(path.join(node, scope), { recursive: true });
  for (const name of readdirSync(packages))
    if (name !== '@tensorflow') symlinkSync(path.join(packages, name), path.join(node, 'node_modules', name));
  for (const name of readdirSync(path.join(root, scope)))
    if (name !== 'tfjs-node-gpu') symlinkSync(path.join(root, scope, name), path.join(node, scope, name));
  process.env.EPOCHAL_CACHE = path.join(node, 'cache');
  await installGpuPackage(path.join(node, scope, 'tfjs-node-gpu'));
});
afterAll(() => {
  delete process.env.EPOCHAL_CACHE;
  rmSync(node, { recursive: true, force: true });
});

async function run(environment: Record<string, string>, ...args: string[]) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', path.join(node, 'specimen.ts'), ...args],
    { env: { ...process.env, ...environment } },
  );
  return JSON.parse(stdout);
}

test('the package for GPU nodes is loaded where its binding was compiled; without a driver it computes on the CPU', async () => {
  const hidden = { CUDA_VISIBLE_DEVICES: '' };
  expect(await run(hidden)).toMatchObject({ build: false, isGPUPackage: false, device: 'cpu', sum: 3 });
  const [from, to] = [nativePackage()!, '@tensorflow/tfjs-node-gpu'].map((name) =>
    path.join(...name.split('/'), 'lib'),
  );
  cpSync(path.join(packages, from!), path.join(node, 'node_modules', to!), { recursive: true });
  const without = await run({ ...hidden, TF_DETERMINISTIC_OPS: '1' });
  expect(without).toMatchObject({ build: true, isGPUPackage: true, device: 'cpu', sum: 3 });
  // What a CPU computes is not changed by what is set for GPUs.
  expect(without.environment).not.toHaveProperty('TF_DETERMINISTIC_OPS');
  expect(without.environment).not.toHaveProperty('TF_FORCE_GPU_ALLOW_GROWTH');

  const given = { CUDA_VISIBLE_DEVICES: '0', NVIDIA_TF32_OVERRIDE: '1', TF_FORCE_GPU_ALLOW_GROWTH: 'false' };
  const { environment, device, isUsingGpuDevice } = await run(given);
  expect(device).toBe(isUsingGpuDevice ? 'gpu' : 'cpu');
  expect(environment).toMatchObject({
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    NVIDIA_TF32_OVERRIDE: '0',
    TF_DETERMINISTIC_OPS: '1',
    TF_CUDNN_DETERMINISTIC: '1',
    TF_CUDNN_USE_AUTOTUNE: '0',
    CUBLAS_WORKSPACE_CONFIG: ':4096:8',
  });
  if (isUsingGpuDevice) return;
  expect(await run(given, 'gpu')).toEqual({
    name: 'MissingGpuError',
    message: 'TensorFlow computes on the CPU, although this process has GPU 0.',
    cure: expect.stringContaining('epochal doctor'),
  });
});
