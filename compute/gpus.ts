import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An NVIDIA GPU that this process may use. */
export interface Gpu {
  /** As `CUDA_VISIBLE_DEVICES` takes it: its number among those of the machine in the order of their addresses, as `nvidia-smi` counts, or its UUID. */
  readonly name: string;
  /** "NVIDIA H200", where the driver tells. */
  readonly model?: string;
  /** Where it sits, "0000:1b:00.0", which tells it from the machine's others; absent where the driver does not tell. */
  readonly address?: string;
}

export interface GpuPlaces {
  /** Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the driver tells of itself and its GPUs. */
  readonly driver?: string;
}

const usualDriver = '/proc/driver/nvidia';

/** Those of `CUDA_VISIBLE_DEVICES` if it is set, up to the first that there is not, as CUDA reads it; else all that the driver lists. */
export function listGpus({ environment = process.env, driver = usualDriver }: GpuPlaces = {}): Gpu[] {
  const all = driverGpus(driver);
  const visible = environment.CUDA_VISIBLE_DEVICES?.split(',').map((name) => name.trim());
  if (visible === undefined) return all.map(({ gpu }) => gpu);
  const gpus: Gpu[] = [];
  for (const name of visible) {
    const isNumber = /^\d+$/.test(name);
    if (!isNumber && !/^(GPU|MIG)-/.test(name)) break;
    const known = isNumber ? all[Number(name)] : all.find(({ uuid }) => uuid?.startsWith(name));
    // A driver that lists none may still have some (in WSL); CUDA will say.
    if (isNumber && all.length > 0 && known === undefined) break;
    gpus.push({ ...known?.gpu, name });
  }
  return gpus;
}

/** Version of the NVIDIA driver, "570.86.15"; undefined where none is loaded. */
export function driverVersion({ driver = usualDriver }: GpuPlaces = {}): string | undefined {
  const text = read(join(driver, 'version'));
  return /Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)/.exec(text)?.[1];
}

function driverGpus(driver: string): { readonly gpu: Gpu; readonly uuid: string | undefined }[] {
  const folder = join(driver, 'gpus');
  let addresses: string[] = [];
  try {
    addresses = readdirSync(folder).sort();
  } catch {
    // No driver.
  }
  return addresses.map((address, index) => {
    const text = read(join(folder, address, 'information'));
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S.*?)\\s*$`, 'm').exec(text)?.[1];
    const model = field('Model');
    return {
      gpu: { name: String(index), address, ...(model === undefined ? {} : { model }) },
      uuid: field('GPU UUID'),
    };
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
