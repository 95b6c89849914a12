import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { ThreadSharing } from '../../compute/tensorflow.ts';

/** One participant: how its process is started. */
export interface SideSpec {
  readonly name: string;
  /** What it is, for the report. */
  readonly describes: string;
  /** Python file of peers/ and its further arguments; Epochal's own side if absent. */
  readonly python?: readonly string[];
}

export interface Answer {
  readonly versions?: Readonly<Record<string, string>>;
  readonly tasks?: readonly string[];
  readonly ready?: true;
  readonly rate?: number;
  readonly seconds?: number;
  /** Of all its threads together. */
  readonly processorSeconds?: number;
  readonly peakBytes?: number;
  readonly error?: string;
}

export interface SideOptions {
  readonly folder: string;
  readonly threads: number;
  readonly python: string;
  /** How Epochal's threads are shared. */
  readonly sharing?: ThreadSharing;
}

/** A running participant, asked one question at a time. */
export class Side {
  readonly spec: SideSpec;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(spec: SideSpec, { folder, threads, python, sharing = 'graphs' }: SideOptions) {
    this.spec = spec;
    const here = import.meta.dirname;
    const common = [folder, String(threads)];
    const [program, args] =
      spec.python === undefined
        ? [process.execPath, [path.join(here, 'epochal-side.ts'), ...common, sharing]]
        : [python, [path.join(here, 'peers', spec.python[0]!), ...common, ...spec.python.slice(1)]];
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stderr!.pipe(createWriteStream(path.join(folder, `${spec.name}.log`), { flags: 'a' }));
    this.#reader = createInterface({ input: this.#process.stdout! });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Starts the process; the first answer says what it can do. */
  static async start(spec: SideSpec, options: SideOptions): Promise<{ side: Side; hello: Answer }> {
    const side = new Side(spec, options);
    return { side, hello: await side.#next() };
  }

  async ask(request: object): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    return this.#next();
  }

  /** Lets the process end by itself. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin!.end();
    if (this.#process.exitCode === null && this.#process.signalCode === null) await ended;
    this.#reader.close();
  }

  async #next(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done)
      return { error: `${this.spec.name} ended unexpectedly (its log is beside the problem's files)` };
    return JSON.parse(value) as Answer;
  }
}
