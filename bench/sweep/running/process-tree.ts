import { readdirSync, readFileSync } from 'node:fs';

/** A process as the kernel shows it. */
export interface ProcessState {
  readonly pid: number;
  readonly parent: number;
  /** Program and arguments. */
  readonly command: string;
  /** Resident memory. */
  readonly bytes: number;
  /** Processor time of itself and of its children that have ended. */
  readonly processorSeconds: number;
}

/** Linux counts time in hundredths of a second and memory in pages, for all architectures that Epochal runs on. */
const [ticksPerSecond, pageBytes] = [100, 4096];

/** `root` and all its descendants that live now. */
export function processTree(root: number): ProcessState[] {
  const all = new Map<number, ProcessState>();
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const state = Number.isInteger(pid) ? stateOf(pid) : undefined;
    if (state === undefined) continue;
    all.set(pid, state);
    children.set(state.parent, [...(children.get(state.parent) ?? []), pid]);
  }
  const tree: ProcessState[] = [];
  for (const waiting = [root]; waiting.length > 0; ) {
    const pid = waiting.pop()!;
    const state = all.get(pid);
    if (state !== undefined) tree.push(state);
    waiting.push(...(children.get(pid) ?? []));
  }
  return tree;
}

function stateOf(pid: number): ProcessState | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const number = (index: number) => Number(fields[index]);
    return {
      pid,
      parent: number(1),
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
      bytes: number(21) * pageBytes,
      processorSeconds: (number(11) + number(12) + number(13) + number(14)) / ticksPerSecond,
    };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
