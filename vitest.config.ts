import { defineConfig } from 'vitest/config';
import { readSetupStamp } from './runtime/setup-stamp.ts';

const { temporal, testPython, versitygw } = readSetupStamp();

/** Layers, fast ones first; each runs by itself with `npx vitest run --project NAME`. */
const layer = (name: string, timeoutMs: number, groupOrder: number, globalSetup: string[] = []) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup,
    // TensorFlow's threads are fixed by its first use in a process, and a crash of it must not take other tests along.
    pool: 'forks' as const,
    // A test that passes never waits for these: they are only there to end one that hangs, on however busy a machine.
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    expect: { poll: { timeout: timeoutMs / 2, interval: 50 } },
    // Each file has homes, servers and ports of its own. What has a server waits for half of its time.
    maxWorkers: name === 'unit' ? 2 : 3,
    sequence: { groupOrder },
  },
});

export default defineConfig({
  test: {
    env: {
      // What is compared is the text: of a machine that asks for colours (CI does) too.
      NO_COLOR: '1',
      ...(temporal === undefined ? {} : { TEMPORAL_BIN: temporal.program }),
      ...(testPython === undefined ? {} : { EPOCHAL_TEST_PYTHON: testPython.program }),
      ...(versitygw === undefined ? {} : { EPOCHAL_TEST_VERSITYGW: versitygw.program }),
    },
    projects: [
      layer('unit', 300_000, 1),
      layer('integration', 600_000, 2, ['test/bundled-home.ts']),
      layer('e2e', 900_000, 3, ['test/bundled-home.ts']),
    ],
  },
});
