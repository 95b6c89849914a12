/**
 * `node test/digests.ts` prints the digest of everything that the small pipelines of `test/fixtures/digests/pipelines` make on this machine, of
 * what is trained too: print it before a change and after it, and compare. With `--renew` it writes those that are the same on every machine, which
 * `test/unit/digests.test.ts` holds, to `test/fixtures/digests/expected.json`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLocalStore } from '../artifacts/store/local-store.ts';
import type { Store } from '../artifacts/store/store.ts';
import { makeArtifacts, steadyDigests } from './fixtures/digests/artifact-digests.ts';
import { planDigests } from './fixtures/digests/plan-digests.ts';
import { smallPlans } from './fixtures/digests/small-plans.ts';

async function print(store: Store): Promise<void> {
  for (const plan of smallPlans) {
    for (const [what, digest] of Object.entries(await planDigests(plan)))
      console.log(`${plan.name}: ${what} ${digest}`);
    for await (const { name, ref } of makeArtifacts(plan, store, true))
      console.log(`${plan.name}: file of ${name} ${ref.sha256}`);
  }
}

async function renew(store: Store): Promise<void> {
  const digests: Record<string, Record<string, string>> = {};
  for (const plan of smallPlans)
    digests[plan.name] = { ...(await planDigests(plan)), ...(await steadyDigests(plan, store)) };
  const file = path.join(import.meta.dirname, 'fixtures', 'digests', 'expected.json');
  await writeFile(file, `${JSON.stringify(digests, undefined, 1)}\n`);
}

const folder = await mkdtemp(path.join(tmpdir(), 'epochal-digests-'));
try {
  await (process.argv.includes('--renew') ? renew : print)(await openLocalStore(folder));
} finally {
  await rm(folder, { recursive: true, force: true });
}
