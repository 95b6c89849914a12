import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The packages of TensorFlow.js with a native backend, that of GPU nodes first: it is only there where the set-up has put the CUDA build. */
const names = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export type NativePackage = (typeof names)[number];

/** The one to load: the first whose binding was compiled; undefined without any. */
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
    return existsSync(join(home, 'lib', 'napi-v8', 'tfjs_binding.node'));
  } catch {
    return false;
  }
}
