import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type ProcessState, processTree } from './process-tree.ts';

/** How a side is started. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a command took. */
export interface Ending {
  /** Seconds of the clock (Unix time) when it was started and when it had ended. */
  readonly started: number;
  readonly ended: number;
  /** Of all its processes together, as far as they were seen; half a second may be missing. */
  readonly processorSeconds: number;
  /** Most resident memory of all its processes together at one moment. */
  readonly peakBytes: number;
}

const sampleMs = 500;

/**
 * Runs a command in `folder` to its end, with its output in `output.log` there. `onSample` gets its processes twice a second. Throws with the end of
 * its output if it fails.
 */
export async function runCommand(
  { program, args, environment = {} }: Command,
  folder: string,
  onSample: (processes: readonly ProcessState[]) => void = () => undefined,
): Promise<Ending> {
  const log = path.join(folder, 'output.log');
  const output = openSync(log, 'w');
  const started = Date.now() / 1000;
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  let [processorSeconds, peakBytes] = [0, 0];
  const sample = () => {
    const tree = processTree(child.pid!);
    const sum = (value: (state: ProcessState) => number) =>
      tree.reduce((total, one) => total + value(one), 0);
    processorSeconds = Math.max(
      processorSeconds,
      sum((state) => state.processorSeconds),
    );
    peakBytes = Math.max(
      peakBytes,
      sum((state) => state.bytes),
    );
    onSample(tree);
  };
  const timer = setInterval(sample, sampleMs);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    const ended = Date.now() / 1000;
    if (code === 0) return { started, ended, processorSeconds, peakBytes };
    const end = readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n');
    throw new Error(`${path.basename(program)} ended with ${signal ?? `code ${code}`}:\n${end}`);
  } finally {
    clearInterval(timer);
  }
}
