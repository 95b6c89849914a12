import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findStep } from '../../../artifacts/store/outputs.ts';
import type { StoreKindUnderTest } from './harness.ts';
import type { Racer, Said } from './racer.ts';
import { artifactName, stepName } from './samples.ts';

const rounds = 200;

/** Two processes that begin the same step at the same moment, many times. */
export function endsRacesWell(kind: StoreKindUnderTest): void {
  test(`two workers that do the same step at once in ${kind.name}, ${rounds} times, leave one artifact and one record, and no error`, async () => {
    const { uri, raw, open } = await kind.place();
    const racers = [await startRacer(kind, uri, 'one'), await startRacer(kind, uri, 'other')];
    for (let round = 0; round < rounds; round++) {
      const said = await Promise.all(racers.map((racer) => racer.ask({ round })));
      expect(said).toEqual([{ done: round }, { done: round }]);
    }
    const store = await open();
    const names: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const key = `step-${round}`;
      const found = (await findStep(store, key, { state: 'state' }))!;
      expect(found.damage).toEqual([]);
      expect(['one', 'other']).toContain(found.record.provenance.host);
      names.push(stepName(key), artifactName(found.record.outputs.state!.sha256));
    }
    expect(await raw.list()).toEqual(names.sort());
  });
}

async function startRacer(kind: StoreKindUnderTest, uri: string, name: string) {
  const cache = mkdtempSync(join(tmpdir(), 'epochal-test-'));
  const racer: Racer = { uri, cache, name };
  const child = fork(join(import.meta.dirname, 'racer.ts'), [JSON.stringify(racer)], {
    env: { ...process.env, ...kind.environment },
    execArgv: [],
  });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    rmSync(cache, { recursive: true, force: true });
  });
  const hears = async () => (await once(child, 'message'))[0] as Said;
  expect(await hears()).toEqual({ ready: true });
  return {
    ask(round: { readonly round: number }): Promise<Said> {
      const answer = hears();
      child.send(round);
      return answer;
    },
  };
}
