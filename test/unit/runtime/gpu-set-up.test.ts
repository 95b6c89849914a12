import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CUDA_WHEELS, cudaIsBeside, installCuda } from '../../../runtime/setup/gpu/cuda.mjs';
import {
  hasGpuPackage,
  installGpuPackage,
  removeGpuPackage,
} from '../../../runtime/setup/gpu/tfjs-node-gpu.mjs';
import { digestOfFile } from '../../../runtime/setup/stamp.mjs';

const root = path.join(import.meta.dirname, '..', '..', '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'epochal-gpu-'));
  vi.stubEnv('EPOCHAL_CACHE', path.join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes a wheel as NVIDIA's are, but for its size, and gives its SHA-256. */
async function smallWheel(library: string): Promise<string> {
  const script = `
import sys, zipfile
name, file = sys.argv[1:]
with zipfile.ZipFile(file, 'w') as wheel:
    def add(path, mode, text):
        info = zipfile.ZipInfo(path)
        info.external_attr = (0o100000 | mode) << 16
        wheel.writestr(info, text)
    add(f'nvidia/{name}/lib/lib{name}.so.12', 0o644, name)
    add(f'nvidia/{name}/bin/ptxas', 0o755, 'program')
    add(f'nvidia/{name}/include/{name}.h', 0o644, 'header')
    add(f'nvidia/{name}/lib/lib{name}_static.a', 0o644, 'static')
    info = f'nvidia_{name}_cu12-1.0.dist-info'
    add(f'{info}/METADATA', 0o644, f'Metadata-Version: 2.1\\nName: nvidia-{name}-cu12\\nVersion: 1.0\\n')
    add(f'{info}/WHEEL', 0o644, 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-manylinux2014_x86_64\\n')
    add(f'{info}/RECORD', 0o644, '')
`;
  const file = path.join(folder, 'index', `nvidia_${library}_cu12-1.0-py3-none-manylinux2014_x86_64.whl`);
  mkdirSync(path.dirname(file), { recursive: true });
  execFileSync('python3', ['-c', script, library, file]);
  return digestOfFile(file);
}

describe('the CUDA libraries', () => {
  beforeEach(() => {
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', path.join(folder, 'index'));
  });
  const library = () => path.join(folder, 'cache', 'libtensorflow', 'tensorflow', 'libtensorflow_cc.so.2');

  test('lie where libtensorflow looks for them, all of them, and only what is run', async () => {
    mkdirSync(path.dirname(library()), { recursive: true });
    const wheels = {
      'nvidia-one-cu12==1.0': await smallWheel('one'),
      'nvidia-two-cu12==1.0': await smallWheel('two'),
    };
    expect(cudaIsBeside(library(), wheels)).toBe(false);
    await installCuda(library(), wheels);
    expect(cudaIsBeside(library(), wheels)).toBe(true);
    // As in the RUNPATH of libtensorflow, and as the libraries find each other.
    const origin = path.dirname(library());
    const one = path.join(origin, '..', 'nvidia', 'one', 'lib');
    expect(readdirSync(one)).toEqual(['libone.so.12']);
    expect(readFileSync(`${one}/../../two/lib/libtwo.so.12`, 'utf8')).toBe('two');
    expect(statSync(path.join(one, '..', 'bin', 'ptxas')).mode & 0o111).toBe(0o111);
    expect(existsSync(path.join(one, '..', 'include'))).toBe(false);
    // Again from the cache, without an index.
    rmSync(path.join(folder, 'index'), { recursive: true });
    rmSync(path.join(origin, '..', 'nvidia'));
    expect(cudaIsBeside(library(), wheels)).toBe(false);
    await installCuda(library(), wheels);
    expect(cudaIsBeside(library(), wheels)).toBe(true);
    expect(cudaIsBeside(library(), { ...wheels, 'nvidia-two-cu12==1.0': '0' })).toBe(false);
  });

  test('of another digest are refused, and leave nothing', async () => {
    mkdirSync(path.dirname(library()), { recursive: true });
    const wheels = {
      'nvidia-one-cu12==1.0': await smallWheel('one'),
      'nvidia-two-cu12==1.0': '0'.repeat(64),
    };
    await smallWheel('two');
    await expect(installCuda(library(), wheels)).rejects.toThrow(/two_cu12-1\.0.*expected SHA-256 0000/);
    expect(readdirSync(path.join(folder, 'cache'))).toEqual(['libtensorflow']);
    expect(cudaIsBeside(library(), wheels)).toBe(false);
  });

  test('are pinned by digest', () => {
    for (const [requirement, sha256] of Object.entries(CUDA_WHEELS)) {
      expect(requirement).toMatch(/^nvidia-[a-z]+(-[a-z]+)*-cu12==\d+(\.\d+)+$/);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

test('the package for GPU nodes is that of the version in package.json, with the same sources, and none of its scripts has run', async () => {
  const place = path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  mkdirSync(path.dirname(place), { recursive: true });
  await installGpuPackage(place);
  const manifest = (file: string) => JSON.parse(readFileSync(path.join(file, 'package.json'), 'utf8'));
  const cpu = path.join(root, 'node_modules', '@tensorflow', 'tfjs-node');
  const { name, version, dependencies } = manifest(place);
  expect({ name, version }).toEqual({
    name: '@tensorflow/tfjs-node-gpu',
    version: manifest(root).dependencies['@tensorflow/tfjs-node'],
  });
  // They are there without it.
  expect(dependencies).toEqual(manifest(cpu).dependencies);
  for (const source of readdirSync(path.join(cpu, 'binding')))
    expect(readFileSync(path.join(place, 'binding', source)), source).toEqual(
      readFileSync(path.join(cpu, 'binding', source)),
    );
  expect(existsSync(path.join(place, 'deps'))).toBe(false);
  expect(existsSync(path.join(place, 'lib'))).toBe(false);
  expect(readdirSync(path.dirname(place))).toEqual(['tfjs-node-gpu']);

  // One that a project has put there itself is left alone.
  rmSync(path.join(place, 'epochal-setup.json'));
  expect(hasGpuPackage(place)).toBe(false);
  removeGpuPackage(place);
  expect(existsSync(place)).toBe(true);
  await installGpuPackage(place);
  expect(hasGpuPackage(place)).toBe(true);
  removeGpuPackage(place);
  expect(existsSync(place)).toBe(false);
});
