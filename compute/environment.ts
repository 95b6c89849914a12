import { readFileSync } from 'node:fs';

/** Variables that change which kernels the native libraries take, and with them the last bits of results. */
const decidesBits =
  /^(TF_|TF2_|ONEDNN_|DNNL_|MKL_|OMP_|KMP_|GOMP_|XLA_|EIGEN_|OPENBLAS_|CUDNN_|CUBLAS_|NVIDIA_TF32)/;

/** Those that only say how much is printed. */
const decidesWords = /^(TF_CPP_(MIN|MAX)_(LOG|VLOG)_LEVEL|ONEDNN_VERBOSE|DNNL_VERBOSE)$/;

/**
 * Gives this process the settings of the native libraries that the program has chosen, whatever the user's environment says: equal steps shall have
 * equal bytes. Call it before TensorFlow is loaded.
 *
 * @param intra Threads of one operation.
 * @param inter Operations side by side.
 * @param gpu Whether a GPU may compute.
 */
export function fixEnvironment(intra: number, inter: number, gpu = false): void {
  for (const name of Object.keys(process.env))
    if (decidesBits.test(name) && !decidesWords.test(name)) delete process.env[name];
  process.env.TF_NUM_INTRAOP_THREADS = String(intra);
  process.env.TF_NUM_INTEROP_THREADS = String(inter);
  // Why a GPU is not used is a warning.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= gpu ? '1' : '2';
  // On by default only on some processors, and about four times faster on the others too.
  process.env.TF_ENABLE_ONEDNN_OPTS = '1';
  process.env.OMP_NUM_THREADS = String(intra * inter);
  if (gpu) Object.assign(process.env, gpuSettings);
}

/** What is set where a GPU may compute, and nowhere else: some of it would change what a CPU computes. */
export const gpuSettings = {
  // Numbers of GPUs are those of nvidia-smi, and not in the order of their speed.
  CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
  // Memory is taken as it is needed, and not all of it at once.
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  // Products of float32 are products of float32, and not of their first ten bits.
  NVIDIA_TF32_OVERRIDE: '0',
  // Kernels whose sums come in one order; what has none is an error of TensorFlow.
  TF_DETERMINISTIC_OPS: '1',
  TF_CUDNN_DETERMINISTIC: '1',
  CUBLAS_WORKSPACE_CONFIG: ':4096:8',
  // The algorithm of a convolution does not depend on which was faster in a trial.
  TF_CUDNN_USE_AUTOTUNE: '0',
} as const;

/** Extensions that the libraries choose kernels by, widest first. */
const extensions = [
  ['amx_tile', 'AMX'],
  ['avx512_fp16', 'AVX-512 FP16'],
  ['avx512_bf16', 'AVX-512 BF16'],
  ['avx512_vnni', 'AVX-512 VNNI'],
  ['avx512f', 'AVX-512'],
  ['avx_vnni', 'AVX2 VNNI'],
  ['avx2', 'AVX2'],
  ['avx', 'AVX'],
  ['sve', 'SVE'],
  ['asimd', 'NEON'],
] as const;

/** The widest instructions of this processor, which decide the last bits of results: `AVX-512 VNNI`, `AVX2`; its architecture where it does not say. */
export function instructionSet(): string {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/));
    return extensions.find(([flag]) => flags.has(flag))?.[1] ?? process.arch;
  } catch {
    return process.arch;
  }
}
