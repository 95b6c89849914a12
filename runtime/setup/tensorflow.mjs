import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { runCommand, SetupError, say } from './command.mjs';
import { cudaIsBeside, installCuda } from './gpu/cuda.mjs';
import { gpuPackage, hasGpuPackage, installGpuPackage, removeGpuPackage } from './gpu/tfjs-node-gpu.mjs';
import { installed, installOnce } from './install-once.mjs';
import { cacheFolder, packages } from './places.mjs';
import { addToStamp, digestOf, readStamp } from './stamp.mjs';
import { unpackWheel, wheelsFor } from './wheel.mjs';

const VERSION = '2.21.0';

/**
 * The wheels whose libtensorflow this project is made with. Any Python does for fetching one: it is unpacked, not installed. The CUDA wheel
 * is for GPU nodes (`--gpu`, `EPOCHAL_TENSORFLOW=gpu`); it computes on the CPU where there is no GPU.
 */
const WHEELS = {
  'linux-x64': {
    cpu: {
      requirement: `tensorflow-cpu==${VERSION}`,
      platform: 'manylinux_2_27_x86_64',
      sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
    },
    gpu: {
      requirement: `tensorflow==${VERSION}`,
      platform: 'manylinux_2_27_x86_64',
      sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
    },
  },
  'linux-arm64': {
    cpu: {
      requirement: `tensorflow==${VERSION}`,
      platform: 'manylinux_2_27_aarch64',
      sha256: 'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552',
    },
  },
};

/** The package of TensorFlow.js that is loaded, which has the sources of the binding. */
const homeOf = (flavour) =>
  flavour === 'gpu' ? gpuPackage : path.join(packages, '@tensorflow', 'tfjs-node');
const bindingOf = (flavour) => path.join(homeOf(flavour), 'lib', 'napi-v8', 'tfjs_binding.node');

/** libtensorflow, and the binding of TensorFlow.js compiled against it. */
export const tensorflow = {
  name: 'TensorFlow',
  does: `installing libtensorflow ${VERSION} and compiling its binding`,
  isDone: () => {
    const { tensorflow: known } = readStamp();
    const flavour = wantedFlavour();
    return (
      known !== undefined &&
      known.flavour === flavour &&
      known.version === VERSION &&
      existsSync(bindingOf(flavour)) &&
      existsSync(known.library) &&
      hasGpuPackage() === (flavour === 'gpu') &&
      (flavour === 'cpu' || cudaIsBeside(known.library))
    );
  },
  run: async () => {
    const flavour = wantedFlavour();
    const library = await installLibrary(flavour);
    if (flavour === 'gpu') await installCuda(library);
    // What is there is loaded, so it goes before the other, and comes back after it.
    removeGpuPackage();
    if (flavour === 'gpu') await installGpuPackage();
    const compiled = await compileBinding(library, flavour);
    const binding = bindingOf(flavour);
    mkdirSync(path.dirname(binding), { recursive: true });
    const temporary = `${binding}.${process.pid}`;
    copyFileSync(compiled, temporary);
    renameSync(temporary, binding);
    addToStamp({ tensorflow: { version: VERSION, flavour, library } });
    if (flavour === 'gpu' && !existsSync('/proc/driver/nvidia/version'))
      say('set-up: there is no NVIDIA driver on this machine. Until there is, stages compute on the CPU.');
  },
};

/** What `EPOCHAL_TENSORFLOW` asks for, else what is installed: a set-up without it does not take a GPU node's CUDA build away. */
export function wantedFlavour(environment = process.env, known = readStamp().tensorflow) {
  const wanted = environment.EPOCHAL_TENSORFLOW || known?.flavour || 'cpu';
  if (wanted === 'cpu' || wanted === 'gpu') return wanted;
  throw new SetupError(`EPOCHAL_TENSORFLOW is ${JSON.stringify(wanted)}.`, 'It may be cpu or gpu.');
}

async function installLibrary(flavour) {
  const here = `${process.platform}-${process.arch}`;
  const wheel = WHEELS[here]?.[flavour];
  if (wheel === undefined) {
    throw new SetupError(
      `There is no libtensorflow (${flavour}) for ${here} that this version of Epochal knows.`,
      `Use a machine or container with ${Object.keys(WHEELS).join(' or ')}.`,
    );
  }
  const folder = path.join(cacheFolder(), `libtensorflow-${VERSION}-${flavour}`);
  if (installed(folder) === undefined) {
    await installOnce(folder, async (temporary) => {
      await unpackWheel({
        requirement: wheel.requirement,
        sha256: wheel.sha256,
        pipOptions: wheelsFor(wheel.platform),
        // The C interface's headers and what they include; the rest of the headers is for C++ programs.
        keep: '^tensorflow/(libtensorflow_(cc|framework)\\.so\\.2$|include/(tensorflow/c/|tensorflow/core/platform/|xla/tsl/c/|external/local_xla/xla/tsl/c/|tsl/))',
        target: temporary,
        label: `libtensorflow ${VERSION} (${flavour === 'gpu' ? 'CUDA' : 'CPU'})`,
      });
      return { version: VERSION, flavour };
    });
  }
  return path.join(folder, 'tensorflow', 'libtensorflow_cc.so.2');
}

/** Compiles the package's own, unchanged sources. The result knows where the library is, and is kept for every clone with the same sources. */
async function compileBinding(library, flavour) {
  const sources = path.join(homeOf(flavour), 'binding');
  const texts = readdirSync(sources)
    .sort()
    .map((name) => readFileSync(path.join(sources, name)));
  const folder = path.join(
    cacheFolder(),
    `tfjs-binding-${digestOf(VERSION, flavour, library, ...texts).slice(0, 16)}`,
  );
  const file = path.join(folder, 'tfjs_binding.node');
  if (installed(folder) !== undefined) return file;
  const place = path.dirname(library);
  await installOnce(folder, async (temporary) => {
    await runCommand(
      process.env.CXX || 'c++',
      [
        ...['-O2', '-std=c++17', '-shared', '-fPIC', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
        ...['-I', path.join(packages, 'node-api-headers', 'include'), '-I', path.join(place, 'include')],
        ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => path.join(sources, name)),
        ...[library, path.join(place, 'libtensorflow_framework.so.2'), `-Wl,-rpath,${place}`],
        ...['-o', path.join(temporary, 'tfjs_binding.node')],
      ],
      {
        label: 'compiling the binding',
        cure: 'Install a C++ compiler (Debian, Ubuntu: `apt install g++`; or name one in CXX), and run this again.',
      },
    );
    return { version: VERSION, flavour };
  });
  return file;
}
