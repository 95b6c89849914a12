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
    // A test that passes never waits for these: they are only there to end one that hangs, on however busy a machine.
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    expect: { poll: { timeout: timeoutMs / 2, interval: 50 } },
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
    projects: [
      layer('unit', 300_000, 2, 1),
      layer('integration', 600_000, 1, 2),
      layer('e2e', 900_000, 1, 3),
    ],
  },
});
