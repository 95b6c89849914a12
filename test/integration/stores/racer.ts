/** A worker in a process of its own, as far as its store goes: does the step of each round that it is told of, as soon as it is told. */

import { openStore } from '../../../artifacts/store/open-store.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { stepRecord, writeState } from './samples.ts';

/** What a process is started with. */
export interface Racer {
  readonly uri: string;
  readonly cache: string;
  readonly name: string;
}

/** What it says: that it is ready, and how each round has ended. */
export type Said = { readonly ready: true } | { readonly done: number } | { readonly error: string };

/** As a worker does that has looked for the step and not found it. */
async function doStep(store: Store, round: number, name: string): Promise<void> {
  const key = `step-${round}`;
  const checkpoint = store.checkpoint(key);
  await checkpoint.write('state', new Uint8Array([round % 256]));
  const state = await writeState(store, round, { key });
  const { provenance, ...record } = stepRecord(key, { state });
  await store.writeStep({ ...record, provenance: { ...provenance, host: name } });
  await checkpoint.clear();
}

if (process.send !== undefined) {
  const { uri, cache, name } = JSON.parse(process.argv[2]!) as Racer;
  const say = (said: Said) => process.send!(said);
  const store = await openStore(uri, { cache: { folder: cache, mostBytes: 1e8 } });
  process.on('message', ({ round }: { round: number }) => {
    doStep(store, round, name).then(
      () => say({ done: round }),
      (error: Error) => say({ error: `${error.name}: ${error.message}` }),
    );
  });
  say({ ready: true });
}
