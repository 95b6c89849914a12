import { defineConfig } from 'vitest/config';
import { readSetupStamp } from './runtime/setup-stamp.ts';

const { temporal, testPython } = readSetupStamp();

/** Layers, fast ones first; each runs by itself with `npx vitest run --project NAME`. */
const layer = (name: string, timeoutMs: number, atOnce: number, groupOrder: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    // TensorFlow's threads are fixed by its first use in a process, and a crash of it must not take other tests along.
    pool: 'forks' as const,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    maxWorkers: atOnce,
    sequence: { groupOrder },
  },
});

export default defineConfig({
  test: {
    env: {
      ...(temporal === undefined ? {} : { TEMPORAL_BIN: temporal.program }),
      ...(testPython === undefined ? {} : { EPOCHAL_TEST_PYTHON: testPython.program }),
    },
    projects: [layer('unit', 30_000, 2, 1), layer('integration', 60_000, 1, 2), layer('e2e', 120_000, 1, 3)],
  },
});
