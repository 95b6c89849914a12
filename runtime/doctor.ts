import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pc from 'picocolors';
import { gpuNames } from '../activities/index.ts';
import { findHome } from './home.ts';
import { readSetupStamp } from './setup-stamp.ts';
import { locateTemporal } from './temporal-binary.ts';

const run = promisify(execFile);

/** One part that Epochal needs, or can use. */
export interface Part {
  readonly name: string;
  /** `absent`: not there, and studies run without it. */
  readonly status: 'ok' | 'missing' | 'absent';
  readonly version: string;
  /** Where it is, or why it is not. */
  readonly place: string;
  /** Command that mends it. */
  readonly cure?: string;
}

/** Looks at every part. Nothing is installed or changed. */
export async function examine(): Promise<Part[]> {
  return [
    { name: 'Node.js', status: 'ok', version: process.version, place: process.execPath },
    describeMachine(),
    ...(await Promise.all([
      examineTensorFlow(),
      examineTemporal(),
      examineCompiler(),
      examineGpus(),
      examineHome(),
      examinePython('Python for tests', 'testPython', 'npm run setup -- --tests'),
      examinePython('Python for benchmarks', 'benchPython', 'npm run setup -- --bench'),
    ])),
  ];
}

/** A line for each part, for people. */
export function formatParts(parts: readonly Part[]): string {
  const signs = { ok: pc.green('ok     '), missing: pc.red('missing'), absent: pc.yellow('absent ') };
  const width = Math.max(...parts.map(({ name }) => name.length));
  return parts
    .flatMap(({ name, status, version, place, cure }) => [
      `${signs[status]} ${name.padEnd(width)}  ${[version, place].filter(Boolean).join('  ')}`,
      ...(cure === undefined ? [] : [`        ${' '.repeat(width)}  mend it: ${pc.bold(cure)}`]),
    ])
    .join('\n');
}

function describeMachine(): Part {
  const [cpu] = cpus();
  const version = `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return { name: 'machine', status: 'ok', version, place: cpu?.model.trim() ?? process.arch };
}

/** Loads the library in a process of its own: one that crashes while loading must not take this one with it. */
async function examineTensorFlow(): Promise<Part> {
  const name = 'TensorFlow';
  const script = path.join(import.meta.dirname, 'probe-tensorflow.ts');
  const { tensorflow } = readSetupStamp();
  try {
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', script]);
    const { library, binding } = JSON.parse(stdout) as { library: string; binding: string };
    const flavour = tensorflow?.flavour === 'gpu' ? 'CUDA' : 'CPU';
    const place = tensorflow === undefined ? 'unknown library' : path.dirname(tensorflow.library);
    return { name, status: 'ok', version: `${library} (${flavour}), binding ${binding}`, place };
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    const place = stderr.trim().split('\n').at(-1) || message;
    return { name, status: 'missing', version: '', place, cure: 'npm run setup' };
  }
}

async function examineTemporal(): Promise<Part> {
  const name = 'Temporal CLI';
  const found = locateTemporal();
  if (found === undefined)
    return { name, status: 'missing', version: '', place: 'not installed', cure: 'npm run setup' };
  try {
    const { stdout } = await run(found.program, ['--version']);
    const version = /version (\S+) \(Server (\S+?), UI (\S+?)\)/.exec(stdout);
    const shown = version === null ? stdout.trim() : `${version[1]}, server ${version[2]}, UI ${version[3]}`;
    return { name, status: 'ok', version: shown, place: `${found.program}, from ${found.source}` };
  } catch (error) {
    const place = `${found.program} does not answer: ${(error as Error).message.split('\n')[0]}`;
    return { name, status: 'missing', version: '', place, cure: 'npm run setup' };
  }
}

async function examineCompiler(): Promise<Part> {
  const name = 'C++ compiler';
  const compiler = process.env.CXX || 'c++';
  try {
    const { stdout } = await run(compiler, ['--version']);
    return { name, status: 'ok', version: stdout.split('\n')[0]!.trim(), place: compiler };
  } catch {
    const place = 'only the set-up needs it';
    return { name, status: 'absent', version: '', place, cure: 'apt install g++' };
  }
}

async function examineGpus(): Promise<Part> {
  const names = gpuNames();
  const flavour = readSetupStamp().tensorflow?.flavour;
  if (names.length === 0)
    return { name: 'GPU', status: 'absent', version: '', place: 'none here: stages compute on the CPU' };
  const version = `${names.length} (${names.join(', ')})`;
  if (flavour === 'gpu') return { name: 'GPU', status: 'ok', version, place: 'CUDA build of TensorFlow' };
  const place = 'there, but the CPU build of TensorFlow is installed';
  return { name: 'GPU', status: 'absent', version, place, cure: 'EPOCHAL_TENSORFLOW=gpu npm run setup' };
}

async function examineHome(): Promise<Part> {
  const name = 'home';
  const { folder } = findHome();
  let there = folder;
  while (!existsSync(there)) there = path.dirname(there);
  try {
    await access(there, constants.W_OK);
    const { bavail, bsize } = await statfs(there);
    const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
    return {
      name,
      status: 'ok',
      version: free,
      place: existsSync(folder) ? folder : `${folder}, not made yet`,
    };
  } catch {
    const place = `${there} is not writable`;
    return { name, status: 'missing', version: '', place, cure: 'export EPOCHAL_HOME=<a folder of yours>' };
  }
}

async function examinePython(name: string, key: 'testPython' | 'benchPython', cure: string): Promise<Part> {
  const program = readSetupStamp()[key]?.program;
  if (program === undefined || !existsSync(program)) {
    return { name, status: 'absent', version: '', place: 'studies need none', cure };
  }
  const { stdout } = await run(program, ['--version']);
  return { name, status: 'ok', version: stdout.trim().replace('Python ', ''), place: program };
}
