import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { StepRecord } from '../../../artifacts/store/step.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import type { Raw } from './harness.ts';

export const digestOf = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** An artifact of `length` weights that begin with `first`. */
export function writeState(store: Store, first = 1, { key = 'k', length = 3 } = {}): Promise<ArtifactRef> {
  return store.write('state', { 'epochal.key': key, 'epochal.stage': 'toy' }, (writer) =>
    writer.append({
      step: [1],
      epoch: [1],
      weights: Float32Array.from({ length }, (_, index) => first + index),
      velocity: new Float32Array(length),
    }),
  );
}

/** What {@link writeState} wrote first. */
export async function firstWeight(store: Store, ref: ArtifactRef): Promise<number> {
  return (await store.open(ref)).floatVector('weights', 0)[0]!;
}

export function stepRecord(key: string, outputs: StepRecord['outputs'] = {}): StepRecord {
  return {
    ...{
      key,
      uses: 'toy',
      version: 1,
      with: { size: 1 },
      inputs: {},
      threads: 1,
      outputs,
      notes: ['a note'],
    },
    provenance: {
      ...{ startedAt: '2026-01-01T00:00:00.000Z', seconds: 1, host: 'here', cpu: 'any', backend: 'none' },
      ...{ library: 'none', node: '24', epochal: '0.1.0', attempts: 1 },
    },
  };
}

export const artifactName = (sha256: string): string => `artifacts/${sha256.slice(0, 2)}/${sha256}.arrow`;
export const stepName = (key: string): string => `steps/${key.slice(0, 2)}/${key}.json`;

/** Ways in which the bytes under a name go wrong; `other` is what was written whole under another name of the kind. */
export const damages: Readonly<
  Record<string, (raw: Raw, name: string, bytes: Uint8Array, other: Uint8Array) => Promise<void>>
> = {
  'with a flipped bit': (raw, name, bytes) =>
    raw.write(
      name,
      bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte)),
    ),
  truncated: (raw, name, bytes) => raw.write(name, bytes.subarray(0, -1)),
  lengthened: (raw, name, bytes) => raw.write(name, Buffer.concat([bytes, Buffer.of(0)])),
  emptied: (raw, name) => raw.write(name, new Uint8Array()),
  removed: (raw, name) => raw.remove(name),
  'in the place of another': (raw, name, _bytes, other) => raw.write(name, other),
};
