import type { UsableGpus } from '../../activities/index.ts';
import { type Gpu, listGpus } from '../../compute/gpus.ts';
import { isGpuBuild } from '../../compute/native-package.ts';
import { askTensorFlow } from '../ask-tensorflow.mjs';
import { gpuSetUpCommand } from '../setup/places.mjs';

/** What there is to look at, by itself or in a test. */
export interface Machine {
  /** Those that the driver lists, or the user names. */
  readonly gpus: readonly Gpu[];
  /** Whether the CUDA build of TensorFlow is installed. */
  readonly isGpuBuild: boolean;
}

/**
 * The GPUs that TensorFlow does use here, which is asked in a process of its own: that the driver lists one does not make it do so, and a stage that was promised a GPU
 * must not end on the CPU. Costs nothing where there is none.
 */
export async function findUsableGpus(
  { gpus, isGpuBuild: canUse }: Machine = { gpus: listGpus(), isGpuBuild: isGpuBuild() },
): Promise<UsableGpus> {
  if (gpus.length === 0) return { gpus };
  if (!canUse)
    return { gpus: [], why: `its CPU build is installed; \`${gpuSetUpCommand}\` brings the other` };
  try {
    const names = gpus.map(({ name }) => name).join();
    const { device, trouble = 'it does not say why' } = await askTensorFlow(process.execPath, names);
    return device === 'gpu' ? { gpus } : { gpus: [], why: trouble };
  } catch (error) {
    return { gpus: [], why: `it does not load: ${(error as Error).message.split('\n')[0]}` };
  }
}
