import { describe, expect, test } from 'vitest';
import { resolveWith } from '../../../activities/engine/resolve-with.ts';
import { SingleFlight } from '../../../activities/engine/single-flight.ts';
import { loadStage } from '../../../activities/kinds/registry.ts';
import { commonMetadata } from '../../../activities/processes/step-metadata.ts';
import { findExamples } from '../../../activities/stage-parts/training-data.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { stepOf } from '../../../compiler/plan/step-key.ts';
import { plannedStage, resultOf } from '../../fixtures/plans.ts';
import { temporaryStore } from '../artifacts/folders.ts';

function artifact(digit: string, folder = 'store'): ArtifactRef {
  const sha256 = digit.repeat(64);
  return { uri: `file:///${folder}/${sha256}.arrow`, sha256, kind: 'evaluation', bytes: 100 };
}

describe('resolveWith', () => {
  const stage = plannedStage('second', 'counter', {
    from: resultOf('first'),
    deep: { list: [1, resultOf('first')] },
    seed: 4,
  });

  test('puts artifacts in the place of references, at any depth, and names them as inputs', () => {
    const first = artifact('a');
    expect(resolveWith(stage, { first: { result: first } })).toEqual({
      with: { from: first, deep: { list: [1, first] }, seed: 4 },
      inputs: { from: first.sha256, 'deep.list.1': first.sha256 },
    });
  });

  test('says what is missing and what there is', () => {
    expect(() => resolveWith(stage, { first: { other: artifact('a') } })).toThrow(
      'Stage second needs first.result in `from`, which is not among what it was given: first (other).',
    );
  });
});

describe('a step', () => {
  const parts = (
    uses: string,
    more: { with: unknown; inputs?: Record<string, string>; threads?: number },
  ) => ({
    uses,
    version: 1,
    inputs: { at: 'b'.repeat(64) },
    threads: 1,
    ...more,
  });

  test('does not depend on where the artifacts and the data lie', () => {
    const key = (ref: ArtifactRef) => stepOf(parts('hessian', { with: { at: ref, top: 3 } })).key;
    expect(key(artifact('b', 'here'))).toBe(key(artifact('b', 'there')));
    const dataset = (path: string) =>
      stepOf(parts('dataset', { with: { name: 'cifar10', path }, inputs: {} })).key;
    expect(dataset('/here')).toBe(dataset('/there'));
    const own = (ref: ArtifactRef) => stepOf(parts('counter', { with: { from: ref } })).key;
    expect(own(artifact('b', 'here'))).toBe(own(artifact('b', 'there')));
    expect(own(artifact('b'))).not.toBe(own(artifact('c')));
  });

  test('depends on version, inputs, and, where it computes, threads', () => {
    const key = (more: object) =>
      stepOf(parts('hessian', { with: { at: artifact('b'), top: 3 }, ...more })).key;
    const keys = [key({}), key({ version: 2 }), key({ inputs: { at: 'c'.repeat(64) } }), key({ threads: 2 })];
    expect(new Set(keys).size).toBe(4);
    const light = (threads: number) =>
      stepOf(parts('analyze', { with: { series: artifact('b') }, threads })).key;
    expect(light(1)).toBe(light(2));
  });
});

test('metadata of an artifact tell its step and inputs, in an order of their own', () => {
  expect(commonMetadata({ uses: 'train', key: 'k', inputs: { test: '2', data: '1' } })).toEqual({
    'epochal.stage': 'train',
    'epochal.key': 'k',
    'epochal.inputs': '{"data":"1","test":"2"}',
    'epochal.version': '1',
  });
});

describe('SingleFlight', () => {
  const never = new AbortController().signal;

  test('lets one work at a time, and the next only after a failure or an end', async () => {
    const flights = new SingleFlight();
    let together = 0;
    let most = 0;
    const work = async (fails: boolean) => {
      most = Math.max(most, ++together);
      await new Promise((resolve) => setTimeout(resolve, 5));
      together--;
      if (fails) throw new Error('failed');
      return 'done';
    };
    const runs = [true, false, false].map((fails) => flights.run('key', never, () => work(fails)));
    expect((await Promise.allSettled(runs)).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(most).toBe(1);
  });

  test('stops waiting when it is cancelled', async () => {
    const flights = new SingleFlight();
    const abort = new AbortController();
    const first = flights.run('key', never, () => new Promise((resolve) => setTimeout(resolve, 50)));
    const second = flights.run('key', abort.signal, () => Promise.reject(new Error('must not run')));
    abort.abort(new Error('cancelled'));
    await expect(second).rejects.toThrow('cancelled');
    await first;
  });
});

test('an unknown stage kind is not the fault of the input: it passed the schemas of whoever made the plan', async () => {
  await expect(loadStage('no-such-kind')).rejects.toMatchObject({
    name: 'EnvironmentError',
    cure: expect.stringContaining('worker'),
  });
  await expect(loadStage('../stage')).rejects.toMatchObject({ name: 'EnvironmentError' });
});

test('a dataset that is gone from the store is damage, which the cell mends, and no wrong input', async () => {
  const { store } = await temporaryStore();
  await expect(findExamples(store, 'a'.repeat(64))).rejects.toMatchObject({ name: 'DamagedArtifactError' });
});
