import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { moduleFile } from '../../artifacts/module-file.mjs';
import { stageModulesVariable } from '../kinds/registry.ts';
import { compileCache } from './compile-cache.ts';
import type { ComputeMessage, Preparation, ProcessState } from './compute-protocol.ts';
import { nodeFlags } from './node-flags.ts';

const entry = moduleFile(import.meta.dirname, 'compute-process');

/** An idle process goes after this long, so that a resting worker holds little memory. */
const usualIdleMs = 10_000;
/** A process is replaced after so many stages, as many as were seen to leave no trace (`node test/soak.ts`), or when it holds so many bytes: what leaks, leaks for a while only. */
const usualStages = 2000;
const mostMemory = 1.5e9;
const lastWordsLines = 12;

/** What must not change within a process. */
export interface ProcessSettings {
  /** TensorFlow threads. */
  readonly threads: number;
  /** `CUDA_VISIBLE_DEVICES`; undefined hides every GPU. */
  readonly gpu: string | undefined;
}

interface Idle {
  readonly process: ComputeProcess;
  /** When it goes. */
  readonly leave: NodeJS.Timeout;
}

/** A process that computes one stage at a time. */
export class ComputeProcess {
  readonly child: ChildProcess;
  readonly settings: ProcessSettings;
  /** How it has ended, once it has. */
  readonly ended: Promise<string>;
  stages = 0;
  /** What it was after its last stage. */
  state: ProcessState = { memory: 0, resources: 0, spent: false };
  #tail = '';

  /** @param preparation What it does until it is given its first stage. */
  constructor(settings: ProcessSettings, preparation?: Preparation) {
    this.settings = settings;
    this.child = fork(entry, [], {
      execPath: process.execPath,
      execArgv: [...nodeFlags],
      env: { ...process.env, ...compileCache(), CUDA_VISIBLE_DEVICES: settings.gpu ?? '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const keep = (chunk: Buffer): void => {
      this.#tail = (this.#tail + chunk.toString('utf8')).slice(-8192);
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(`could not be started (${error.message})`));
      this.child.once('close', (code, signal) =>
        resolve(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
      );
    });
    if (preparation !== undefined) this.#prepare(preparation);
  }

  #prepare(preparation: Preparation): void {
    const onMessage = (message: ComputeMessage): void => {
      if (message.type !== 'prepared') return;
      if (this.stages === 0) this.state = message.state;
      this.child.off('message', onMessage);
    };
    this.child.on('message', onMessage);
    // One that cannot be told has ended.
    this.child.send(preparation, () => undefined);
  }

  get isAlive(): boolean {
    return this.child.connected && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what it has printed since it was taken. */
  get said(): string {
    return this.#tail;
  }

  /** The last lines of it, in words for people. */
  lastWords(): string {
    const lines = this.#tail.trim().split('\n').slice(-lastWordsLines);
    return this.#tail.trim() === '' ? ' It said nothing.' : ` Its last words:\n${lines.join('\n')}`;
  }

  /** Whether it keeps the worker alive. */
  hold(holds: boolean): void {
    this.#tail = '';
    const { child } = this;
    for (const part of [child, child.channel, child.stdout as Socket | null, child.stderr as Socket | null])
      if (holds) part?.ref();
      else part?.unref();
  }
}

export interface PoolOptions {
  /** Stages that the worker computes at the same time: up to so many processes are started before they are needed, when the first is. Default: 1. */
  readonly atOnce?: number;
  /** A process is replaced after so many stages. */
  readonly mostStages?: number;
  /** An idle one goes after so many milliseconds. */
  readonly idleMs?: number;
}

/**
 * Processes that stay from stage to stage: starting one, loading TensorFlow and compiling the code takes longer than many a stage. Each computes one stage at a
 * time, with the bits of a fresh one. One in which a stage has failed as nobody foresaw is not used again.
 */
export class ProcessPool {
  readonly #idle: Idle[] = [];
  /** All that were started and have not ended. */
  readonly #living = new Set<ComputeProcess>();
  readonly #mostStages: number;
  readonly #idleMs: number;
  atOnce: number;
  /** How stages of a kind have shared their threads last, by kind and number of threads: which of the idle ones is likely to do. */
  readonly #sharing = new Map<string, string | undefined>();

  constructor({ atOnce = 1, mostStages = usualStages, idleMs = usualIdleMs }: PoolOptions = {}) {
    this.atOnce = atOnce;
    this.#mostStages = mostStages;
    this.#idleMs = idleMs;
  }

  /** How many there are, and how many of them wait for a stage. */
  get count(): { readonly all: number; readonly idle: number } {
    return { all: this.#living.size, idle: this.#idle.length };
  }

  /**
   * An idle process with these settings that is likely to do for a stage kind, and was not `tried` for it, or a new one; `spare`: another is
   * started for the next stage if there are too few.
   */
  take(
    settings: ProcessSettings,
    uses: string,
    tried: ReadonlySet<ComputeProcess>,
    spare = true,
  ): ComputeProcess {
    const process = this.#takeIdle(settings, uses, tried) ?? this.#start(settings);
    if (spare) this.#startSpare(settings);
    return process;
  }

  /** Sends away all that wait for a stage. */
  dismissIdle(): void {
    for (const { process, leave } of this.#idle.splice(0)) {
      clearTimeout(leave);
      dismiss(process.child);
    }
  }

  #takeIdle(
    settings: ProcessSettings,
    uses: string,
    tried: ReadonlySet<ComputeProcess>,
  ): ComputeProcess | undefined {
    const usual = this.#sharing.get(`${uses} ${settings.threads}`);
    const fits = ({ process }: Idle) =>
      process.isAlive &&
      !tried.has(process) &&
      process.settings.threads === settings.threads &&
      process.settings.gpu === settings.gpu &&
      (process.state.sharing === undefined || usual === undefined || process.state.sharing === usual);
    const index = this.#idle.findLastIndex(fits);
    if (index < 0) return undefined;
    const [{ process, leave }] = this.#idle.splice(index, 1) as [Idle];
    clearTimeout(leave);
    process.hold(true);
    return process;
  }

  #start(settings: ProcessSettings, preparation?: Preparation): ComputeProcess {
    if (settings.gpu !== undefined) this.#clear(settings.gpu);
    const process = new ComputeProcess(settings, preparation);
    this.#living.add(process);
    const end = (): void => {
      this.#living.delete(process);
      this.#forget(process);
    };
    // Of one that was dismissed Node never says that it has closed.
    process.child.once('exit', end);
    void process.ended.then(end);
    return process;
  }

  /** A process keeps a GPU's memory for as long as it lives: idle ones make room for another on the same GPU. */
  #clear(gpu: string): void {
    const names = new Set(gpu.split(','));
    for (const { process } of [...this.#idle]) {
      if (!process.settings.gpu?.split(',').some((name) => names.has(name))) continue;
      this.#forget(process);
      dismiss(process.child);
    }
  }

  /** Starts a process for the next stage, unless there are enough: it loads TensorFlow while this stage computes. */
  #startSpare(settings: ProcessSettings): void {
    const isSpare = ({ process }: Idle) => process.stages === 0;
    if (this.#living.size >= this.atOnce || this.#idle.filter(isSpare).length >= Math.max(1, this.atOnce / 4))
      return;
    // Each stage of such kinds has a process of its own; a GPU's memory is for the stages on it.
    if (process.env[stageModulesVariable] !== undefined || settings.gpu !== undefined) return;
    this.#rest(this.#start(settings, { prepares: settings.threads }), 'first');
  }

  /** Takes back a process; `did` is the stage kind that it has computed with TensorFlow, if it has. */
  giveBack(process: ComputeProcess, state: ProcessState, did?: string): void {
    process.state = state;
    process.stages++;
    if (did !== undefined) this.#sharing.set(`${did} ${process.settings.threads}`, state.sharing);
    const isSpent = state.spent || process.stages >= this.#mostStages || state.memory > mostMemory;
    if (isSpent || !process.isAlive || this.#idle.length >= availableParallelism()) {
      dismiss(process.child);
      return;
    }
    this.#rest(process, 'last');
  }

  /** It waits for a stage, for a while. The last ones are taken first. */
  #rest(process: ComputeProcess, place: 'first' | 'last'): void {
    process.hold(false);
    const leave = setTimeout(() => {
      this.#forget(process);
      dismiss(process.child);
    }, this.#idleMs).unref();
    if (place === 'first') this.#idle.unshift({ process, leave });
    else this.#idle.push({ process, leave });
  }

  #forget(process: ComputeProcess): void {
    const index = this.#idle.findIndex((idle) => idle.process === process);
    if (index < 0) return;
    clearTimeout(this.#idle[index]!.leave);
    this.#idle.splice(index, 1);
  }
}

/** An idle process ends as soon as nobody is connected to it. */
function dismiss(child: ChildProcess): void {
  if (child.connected) child.disconnect();
  child.unref();
}
