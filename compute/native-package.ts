import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The packages of TensorFlow.js with a native backend, that of GPU nodes first. */
const names = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export type NativePackage = (typeof names)[number];

/** The set-up (`runtime/setup/gpu/`) leaves it in the package for GPU nodes; one of a project's own has a binding for another library. */
const mark = 'epochal-setup.json';

/** The one to load: the first whose binding the set-up has compiled; undefined without any. */
export function nativePackage(): NativePackage | undefined {
  return names.find(hasBinding);
}

/** Whether GPUs can be used, if there are some: the CUDA build is installed. */
export function isGpuBuild(): boolean {
  return nativePackage() === '@tensorflow/tfjs-node-gpu';
}

function hasBinding(name: NativePackage): boolean {
  try {
    const home = dirname(require.resolve(`${name}/package.json`));
    if (name === '@tensorflow/tfjs-node-gpu' && !existsSync(join(home, mark))) return false;
    return existsSync(join(home, 'lib', 'napi-v8', 'tfjs_binding.node'));
  } catch {
    return false;
  }
}
