import { readFileSync } from 'node:fs';

/** Thrown when a stage got no more memory, or the kernel killed its compute process for want of it. Beside fewer other stages it may fit. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

/** What V8, C++, TensorFlow, CUDA and the system say when they get no more memory. What TensorFlow only warns of is not among it. */
const words =
  /heap out of memory|Array buffer allocation failed|std::bad_alloc|OOM when allocating|ResourceExhausted|RESOURCE_EXHAUSTED|CUDA_ERROR_OUT_OF_MEMORY|\bENOMEM\b|Cannot allocate memory/;

/** The line in which an error, or a process that has ended, says that it got no more memory; undefined if none does. */
export function wordsOfWant(text: string): string | undefined {
  return text
    .split('\n')
    .find((line) => words.test(line))
    ?.trim();
}

/** Where the kernel counts the processes that it has killed for want of memory: those of the machine, and of this process's control group (versions 1 and 2). */
function counters(): string[] {
  const groups = read('/proc/self/cgroup')
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', group = ''] = line.split(':');
      if (controllers === '') return [`/sys/fs/cgroup${group}/memory.events`];
      return controllers.split(',').includes('memory')
        ? [`/sys/fs/cgroup/memory${group}/memory.oom_control`]
        : [];
    });
  // In a container its own group may lie at the root.
  const roots = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];
  return ['/proc/vmstat', ...new Set([...groups, ...roots])];
}

/** How many processes the kernel has killed for want of memory so far, as far as it tells: a number to compare with an earlier one. */
export function countOomKills(): number {
  return counters().reduce((sum, file) => sum + Number(/^oom_kill (\d+)$/m.exec(read(file))?.[1] ?? 0), 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not on this system.
    return '';
  }
}
