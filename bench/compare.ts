import path from 'node:path';
import { readNpyDoubles } from './problem/npy.ts';
import { Side, type SideOptions } from './sides/side.ts';
import { relativeDistance, sides, type Task } from './tasks.ts';

/** How one side did at one task. */
export interface Entry {
  readonly side: string;
  /** In the task's unit; absent where the side failed or its result is refused. */
  readonly times?: readonly number[];
  /** Processor time of all its threads together, in the same unit: what a busy machine changes least. */
  readonly processorTimes?: readonly number[];
  readonly peakBytes?: number;
  /** Distance of its result from Epochal's, relative to the length of that. */
  readonly deviation?: number;
  /** Products that the eigenvalue task took. */
  readonly products?: number;
  readonly refused?: string;
}

export interface Comparison {
  readonly task: Task;
  readonly entries: readonly Entry[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Seconds of rounds after which a side is not asked again, so that the slowest ones do not take all of the time. */
const budget = 60;

/** Units in a second. */
const scaleOf = (task: Task) => (task.unit.startsWith('ms') ? 1000 : 1) / task.perRound;

/**
 * Runs one task: each side in a process of its own, prepared and warmed up one after the other, then asked in turns (A B C A B C ...). A side
 * whose result does not match Epochal's is refused, whatever its time.
 */
export async function compare(
  task: Task,
  options: SideOptions,
  wanted: readonly string[],
  say: (line: string) => void,
): Promise<Comparison> {
  const running: Side[] = [];
  const failed: Entry[] = [];
  let versions: Record<string, string> = {};
  for (const spec of sides) {
    if (!wanted.includes(spec.name)) continue;
    const { side, hello } = await Side.start(spec, { ...options, sharing: task.sharing ?? 'graphs' });
    if (hello.error === undefined && !hello.tasks!.includes(task.name)) {
      await side.close();
      continue;
    }
    const answer = hello.error === undefined ? await side.ask({ prepare: task.name }) : hello;
    versions = { ...versions, ...hello.versions };
    if (answer.error === undefined) running.push(side);
    else {
      say(`  ${spec.name}: ${answer.error}`);
      failed.push({ side: spec.name, refused: answer.error });
      await side.close();
    }
  }
  const seconds = new Map<string, number[]>(running.map(({ spec }) => [spec.name, []]));
  const worked = new Map<string, number[]>(running.map(({ spec }) => [spec.name, []]));
  const peaks = new Map<string, number>();
  const errors = new Map<string, string>();
  const spent = (name: string) => seconds.get(name)!.reduce((sum, time) => sum + time, 0);
  const fileOf = (name: string) => path.join(options.folder, `result-${task.name}-${name}.npy`);
  for (let round = 0; round < task.rounds; round++) {
    for (const side of running) {
      const { name } = side.spec;
      if (errors.has(name) || spent(name) > budget) continue;
      const answer = await side.ask({ result: fileOf(name) });
      if (answer.error !== undefined) errors.set(name, answer.error);
      else {
        if (name === 'epochal' && round === 0) task.onReference?.(readNpyDoubles(fileOf(name)));
        seconds.get(name)!.push(answer.seconds!);
        worked.get(name)!.push(answer.processorSeconds!);
        peaks.set(name, answer.peakBytes!);
      }
    }
  }
  for (const side of running) await side.close();
  const reference = readNpyDoubles(fileOf('epochal'));
  const entries = running.map(({ spec: { name } }): Entry => {
    const error = errors.get(name);
    if (error !== undefined) return { side: name, refused: error };
    const result = readNpyDoubles(fileOf(name));
    const refused = task.check(result, reference);
    if (refused !== undefined) return { side: name, refused };
    return {
      side: name,
      times: seconds.get(name)!.map((time) => time * scaleOf(task)),
      processorTimes: worked.get(name)!.map((time) => time * scaleOf(task)),
      peakBytes: peaks.get(name)!,
      deviation: relativeDistance(result.subarray(0, task.compared), reference.subarray(0, task.compared)),
      ...(task.withProducts ? { products: result.at(-1)! } : {}),
    };
  });
  return { task, entries: [...entries, ...failed], versions };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
