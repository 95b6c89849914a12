/**
 * `node test/soak.ts [STAGES]` has one process compute 2,000 stages of every kind, one after another, and prints what it holds on the way: memory, tensors, graphs,
 * open files. `test/integration/soak.test.ts` holds the same to bounds, for as many stages as `EPOCHAL_SOAK_STAGES` says.
 */
import { soak } from './fixtures/soak.ts';

const [, , stages = '2000'] = process.argv;
for await (const { digests: _, memory, ...sample } of soak(Number(stages)))
  console.log(JSON.stringify({ ...sample, megabytes: Math.round(memory / 1e6) }));
process.exit();
