import { describe, expect, test } from 'vitest';
import { DamagedArtifactError, DamagedRecordError } from '../../../artifacts/errors.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { findStep } from '../../../artifacts/store/outputs.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import type { Place, StoreKindUnderTest } from './harness.ts';
import { artifactName, digestOf, stepName, stepRecord, writeState } from './samples.ts';

const mutationsOfEach = 84;

/** Bytes and choices that look like chance and are the same each time: SHA-256 of a counter. */
function chanceFrom(seed: string) {
  let count = 0;
  const next = (): Buffer => Buffer.from(digestOf(`${seed} ${count++}`), 'hex');
  return {
    below: (most: number): number => next().readUInt32LE(0) % most,
    bytes: (length: number): Uint8Array =>
      Buffer.concat(Array.from({ length: Math.ceil(length / 32) }, next)).subarray(0, length),
  };
}
type Chance = ReturnType<typeof chanceFrom>;

/** Each gives other bytes than it was given, or nothing: what was there is gone. */
const mutations: readonly ((bytes: Buffer, chance: Chance, other: Uint8Array) => Uint8Array | undefined)[] = [
  (bytes, { below }) => {
    const flipped = Buffer.from(bytes);
    flipped[below(bytes.length)]! ^= 1 << below(8);
    return flipped;
  },
  (bytes, { below }) => bytes.subarray(0, below(bytes.length)),
  (bytes, { below }) => bytes.subarray(1 + below(bytes.length - 1)),
  (bytes, { below, bytes: some }) => {
    const at = below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), some(1 + below(100)), bytes.subarray(at)]);
  },
  (bytes, { below }) => {
    const at = below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(100))]);
  },
  (bytes, { below, bytes: some }) => {
    const changed = Buffer.from(bytes);
    changed.set(some(Math.min(64, bytes.length)), below(Math.max(1, bytes.length - 64)));
    return changed;
  },
  (bytes, { bytes: some }) => some(bytes.length),
  (_bytes, _chance, other) => other,
  () => undefined,
];

/** Something that a step or a study leaves in a store, under one name. */
interface Kept {
  readonly name: string;
  /** Makes it, or makes it anew. */
  make(store: Store): Promise<void>;
  /** Expects that it is found as it was made. */
  isWhole(store: Store): Promise<void>;
  /** Expects that it is found to be damaged, is named, and is not given. */
  isDamaged(store: Store, isGone: boolean): Promise<void>;
  /** The name of a whole one of its kind. */
  readonly other: string;
}

/** Whatever is done to what lies in a store is found and mended. */
export function findsMutations(kind: StoreKindUnderTest): void {
  describe(`${mutationsOfEach * 6} mutations in ${kind.name}`, () => {
    test.each(['an artifact', 'a manifest', 'a part', 'a step record', 'a checkpoint', 'a study record'])(
      `${mutationsOfEach} of %s are found, named and made anew; none is used`,
      async (what) => {
        const place = await kind.place();
        const chance = chanceFrom(what);
        const lasting = await place.open({ mostRemembered: 1e6 });
        const kept = await makeOne(what, lasting);
        await kept.isWhole(lasting);
        const good = Buffer.from((await place.raw.read(kept.name))!);
        const other = (await place.raw.read(kept.other))!;
        for (let index = 0; index < mutationsOfEach; index++) {
          const changed = mutations[index % mutations.length]!(good, chance, other);
          expect(changed === undefined || !good.equals(changed)).toBe(true);
          await put(place, kept.name, changed);
          // One that has seen it whole, and one that has not.
          const store = chance.below(4) === 0 ? await place.open() : lasting;
          await kept.isDamaged(store, changed === undefined);
          await kept.make(store);
          await kept.isWhole(store);
          expect(good.equals((await place.raw.read(kept.name))!)).toBe(true);
        }
        await kept.isWhole(await place.open());
      },
    );
  });
}

async function put({ raw }: Place, name: string, bytes: Uint8Array | undefined): Promise<void> {
  if (bytes === undefined) await raw.remove(name);
  else await raw.write(name, bytes);
}

const step = { key: 'step-of-it', uses: 'toy' };

async function makeOne(what: string, store: Store): Promise<Kept> {
  if (what === 'a step record') return stepKept(store);
  if (what === 'a checkpoint') return checkpointKept(store);
  if (what === 'a study record') return studyKept(store);
  return artifactKept(store, what);
}

/** A step with a trajectory of two parts and a state: the state, the trajectory's manifest, or a part. */
async function artifactKept(store: Store, what: string): Promise<Kept> {
  const metadata = { 'epochal.key': step.key, 'epochal.stage': step.uses };
  const part = (of: Store, first: number) =>
    of.write('trajectory-part', metadata, (writer) =>
      writer.append({
        ...{ step: [first, first + 1], epoch: [0, 0], batch_loss: [1, 2] },
        weights: Float32Array.of(first, 1, 2, 3),
      }),
    );
  const work = async (of: Store) => {
    const state = await writeState(of, 1, { key: step.key });
    const parts = [await part(of, 0), await part(of, 2)] as const;
    const trajectory = await of.write('trajectory', metadata, (writer) =>
      writer.append({
        ...{
          part: [0, 1],
          sha256: parts.map(({ sha256 }) => sha256),
          bytes: parts.map(({ bytes }) => bytes),
        },
        ...{ rows: [2, 2], first_step: [0, 2] },
      }),
    );
    return { state, trajectory, parts };
  };
  const { state, trajectory, parts } = await work(store);
  const another = await writeState(store, 2);
  const outputs: Record<string, ArtifactRef> = { state, trajectory };
  await store.writeStep({ ...stepRecord(step.key, outputs), uses: step.uses });
  const wanted = { state: 'state', trajectory: 'trajectory' } as const;
  const [ref, output] =
    what === 'an artifact'
      ? ([state, 'state'] as const)
      : ([what === 'a part' ? parts[1] : trajectory, 'trajectory'] as const);
  const what12 = outputs[output]!.sha256.slice(0, 12);
  return {
    name: artifactName(ref.sha256),
    other: artifactName(what === 'a part' ? parts[0].sha256 : another.sha256),
    make: async (of) => expect(await work(of)).toEqual({ state, trajectory, parts }),
    async isWhole(of) {
      expect((await findStep(of, step.key, wanted))!.damage).toEqual([]);
      expect((await of.open(ref)).kind).toBe(ref.kind);
    },
    async isDamaged(of) {
      const { damage } = (await findStep(of, step.key, wanted))!;
      expect(damage.map((each) => each.output)).toEqual([output]);
      expect(damage[0]!.what).toMatch(new RegExp(`^${what12} .*damaged or gone`));
      const opened = await of.open(ref).catch((error: unknown) => error);
      expect(opened).toBeInstanceOf(DamagedArtifactError);
      expect((opened as Error).message).toContain(ref.sha256);
      expect(await of.verify(ref)).toBe(false);
    },
  };
}

async function stepKept(store: Store): Promise<Kept> {
  const record = stepRecord(step.key, { state: await writeState(store, 1, { key: step.key }) });
  const make = (of: Store) => of.writeStep(record);
  await make(store);
  await store.writeStep(stepRecord('another', record.outputs));
  return {
    name: stepName(step.key),
    other: stepName('another'),
    make,
    isWhole: async (of) => expect(await of.readStep(step.key)).toEqual(record),
    async isDamaged(of) {
      // A step without a record that can be believed is not done, and is asked for by its key.
      expect(await of.readStep(step.key)).toBeUndefined();
      expect(await of.readSteps([step.key])).toEqual([undefined]);
      expect(await findStep(of, step.key, { state: 'state' })).toBeUndefined();
    },
  };
}

async function checkpointKept(store: Store): Promise<Kept> {
  const bytes = new Uint8Array(chanceFrom('checkpoint bytes').bytes(1000));
  const make = (of: Store) => of.checkpoint(step.key).write('state', bytes);
  await make(store);
  await store.checkpoint('another').write('state', bytes);
  return {
    name: `checkpoints/${step.key}/state`,
    other: 'checkpoints/another/state',
    make,
    isWhole: async (of) => expect(await of.checkpoint(step.key).read('state')).toEqual(bytes),
    isDamaged: async (of) => expect(await of.checkpoint(step.key).read('state')).toBeUndefined(),
  };
}

async function studyKept(store: Store): Promise<Kept> {
  const [name, other] = ['studies/a/plan.json', 'studies/b/plan.json'];
  const text = `${JSON.stringify({ name: 'a', cells: [1, 2, 3] }, undefined, 2)}\n`;
  const make = (of: Store) => of.writeText(name, text);
  await make(store);
  await store.writeText(other, text);
  return {
    name,
    other,
    make,
    isWhole: async (of) => expect(await of.readText(name)).toBe(text),
    async isDamaged(of, isGone) {
      const read = await of.readText(name).catch((error: unknown) => error);
      if (isGone) expect(read).toBeUndefined();
      else {
        expect(read).toBeInstanceOf(DamagedRecordError);
        expect((read as Error).message).toContain(name);
      }
      expect(await of.readTexts([name])).toEqual([read]);
    },
  };
}
