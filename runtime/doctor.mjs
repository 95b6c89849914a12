// @ts-check
/** Looks at every part that Epochal needs. Plain JavaScript that needs no package, so that it can tell what is missing before the set-up. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { askTensorFlow } from './ask-tensorflow.mjs';
import { examineGpus } from './examine-gpus.mjs';
import { chosenNode } from './setup/node.mjs';
import { packagesAreInstalled } from './setup/npm-packages.mjs';
import { homeFolder, isPackage, packages, setUpCommand as setUp } from './setup/places.mjs';
import { readStamp } from './setup/stamp.mjs';
import { locateTemporal } from './setup/temporal.mjs';
import { tensorflow as tensorflowStep } from './setup/tensorflow.mjs';
import { runsTypeScript } from './setup/versions.mjs';

const run = promisify(execFile);

/**
 * One part that Epochal needs, or can use. `absent`: not there, and studies run without it.
 *
 * @typedef {object} Part
 * @property {string} name
 * @property {'ok' | 'missing' | 'absent'} status
 * @property {string} version
 * @property {string} place Where it is, or why it is not.
 * @property {string} [cure] Command that mends it.
 */

/**
 * Looks at every part. Nothing is installed or changed.
 *
 * @returns {Promise<Part[]>}
 */
export async function examine() {
  return [
    examineNode(),
    describeMachine(),
    ...(await Promise.all([
      examinePackages(),
      examineTensorFlow(),
      examineTemporal(),
      examineCompiler(),
      examinePip(),
      examineHome(),
      ...(isPackage
        ? []
        : [
            examinePython('Python for tests', 'testPython', `${setUp} -- --tests`),
            examinePython('Python for benchmarks', 'benchPython', `${setUp} -- --bench`),
          ]),
    ])),
    ...(await examineGpus()),
  ];
}

/**
 * A line for each part, for people.
 *
 * @param {readonly Part[]} parts
 * @param {boolean} color
 */
export function formatParts(parts, color = false) {
  /** @param {number} code @param {string} text */
  const paint = (code, text) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const signs = { ok: paint(32, 'ok     '), missing: paint(31, 'missing'), absent: paint(33, 'absent ') };
  const width = Math.max(...parts.map(({ name }) => name.length));
  return parts
    .flatMap(({ name, status, version, place, cure }) => [
      `${signs[status]} ${name.padEnd(width)}  ${[version, place].filter(Boolean).join('  ')}`,
      ...(cure === undefined ? [] : [`        ${' '.repeat(width)}  mend it: ${paint(1, cure)}`]),
    ])
    .join('\n');
}

/** Node that runs the commands: this one, or the one of the set-up, which this one then starts. */
function examineNode() {
  const { version, execPath: place } = process;
  if (runsTypeScript(version)) return part('Node.js', 'ok', version, place);
  return existsSync(chosenNode())
    ? part('Node.js', 'ok', version, `${place}, which starts ${chosenNode()}`)
    : part('Node.js', 'missing', version, `${place}: too old by itself`, setUp);
}

function describeMachine() {
  const version = `${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return part('machine', 'ok', version, cpus()[0]?.model.trim() ?? process.arch);
}

function examinePackages() {
  const name = 'npm packages';
  if (packagesAreInstalled()) return part(name, 'ok', '', packages);
  const list = isPackage ? 'package.json' : 'package-lock.json';
  const why = existsSync(packages) ? `not those of ${list}` : 'not installed';
  return part(name, 'missing', '', why, isPackage ? 'npm install' : setUp);
}

/** Loads the library in a process of its own: one that crashes while loading must not take this one with it. */
async function examineTensorFlow() {
  const name = 'TensorFlow';
  const { tensorflow } = readStamp();
  if (!existsSync(chosenNode()) || tensorflow === undefined)
    return part(name, 'missing', '', 'not installed', setUp);
  try {
    // Without GPUs: whether there are some is another question, and takes longer.
    const { library, binding } = await askTensorFlow(chosenNode(), '');
    const flavour = tensorflow.flavour === 'gpu' ? 'CUDA' : 'CPU';
    const version = `${library} (${flavour}), binding ${binding}`;
    return part(name, 'ok', version, path.dirname(tensorflow.library));
  } catch (error) {
    const { stderr = '', message } = /** @type {{ stderr?: string, message: string }} */ (error);
    const lines = stderr.trim().split('\n');
    const why = lines.find((line) => line.startsWith('Error')) ?? (lines.at(-1) || message);
    return part(name, 'missing', '', why, setUp);
  }
}

async function examineTemporal() {
  const name = 'Temporal CLI';
  const found = locateTemporal();
  if (found === undefined) return part(name, 'missing', '', 'not installed', setUp);
  try {
    const { stdout } = await run(found.program, ['--version']);
    const version = /version (\S+) \(Server (\S+?), UI (\S+?)\)/.exec(stdout);
    const shown = version === null ? stdout.trim() : `${version[1]}, server ${version[2]}, UI ${version[3]}`;
    return part(name, 'ok', shown, `${found.program}, from ${found.source}`);
  } catch (error) {
    const [why] = /** @type {Error} */ (error).message.split('\n');
    return part(name, 'missing', '', `${found.program} does not answer: ${why}`, setUp);
  }
}

function examineCompiler() {
  const compiler = process.env.CXX || 'c++';
  return examineTool('C++ compiler', compiler, ['--version'], 'apt install g++');
}

function examinePip() {
  const cure = 'apt install python3 python3-pip python3-venv';
  return examineTool('Python with pip', 'python3', ['-m', 'pip', '--version'], cure);
}

/**
 * What only the set-up needs: missing as long as that has still to compile TensorFlow's binding.
 *
 * @param {string} name
 * @param {string} program
 * @param {string[]} args
 * @param {string} cure
 */
async function examineTool(name, program, args, cure) {
  try {
    const { stdout } = await run(program, args);
    return part(name, 'ok', stdout.split('\n')[0]?.trim(), program);
  } catch {
    const needed = !tensorflowStep.isDone();
    const why = needed ? 'the set-up needs it' : 'only the set-up needs it';
    return part(name, needed ? 'missing' : 'absent', '', why, cure);
  }
}

async function examineHome() {
  const folder = homeFolder();
  let there = folder;
  while (!existsSync(there)) there = path.dirname(there);
  try {
    await access(there, constants.W_OK);
    const { bavail, bsize } = await statfs(there);
    const place = existsSync(folder) ? folder : `${folder}, not made yet`;
    return part('home', 'ok', `${((bavail * bsize) / 1e9).toFixed(1)} GB free`, place);
  } catch {
    const cure = 'export EPOCHAL_HOME=<a folder of yours>';
    return part('home', 'missing', '', `${there} is not writable`, cure);
  }
}

/**
 * @param {string} name
 * @param {'testPython' | 'benchPython'} key
 * @param {string} cure
 */
async function examinePython(name, key, cure) {
  const program = readStamp()[key]?.program;
  if (program === undefined || !existsSync(program))
    return part(name, 'absent', '', 'studies need none', cure);
  const { stdout } = await run(program, ['--version']);
  return part(name, 'ok', stdout.trim().replace('Python ', ''), program);
}

/**
 * @param {string} name
 * @param {Part['status']} status
 * @param {string} [version]
 * @param {string} [place]
 * @param {string} [cure]
 * @returns {Part}
 */
function part(name, status, version = '', place = '', cure) {
  return { name, status, version, place, ...(cure === undefined ? {} : { cure }) };
}
