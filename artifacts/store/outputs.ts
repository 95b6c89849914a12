import pLimit from 'p-limit';
import { type Described, writeMetadata } from '../arrow/metadata.ts';
import type { ArrowTable } from '../arrow/table.ts';
import { DamagedArtifactError } from '../errors.ts';
import type { ArtifactKind, ArtifactRef } from '../reference.ts';
import type { StepRecord } from './step.ts';
import type { Store } from './store.ts';

/** Files of one output that are looked at together: a store elsewhere takes its time for each. */
const filesAtATime = 8;

/** An output of a step that cannot be used. */
export interface DamagedOutput {
  readonly output: string;
  /** "<beginning of its digest> was damaged or gone": what a sentence about the output goes on with. */
  readonly what: string;
}

/** The parts that a trajectory's manifest lists, in order. Throws {@link DamagedArtifactError} naming one that is gone. */
export async function partsOf(
  store: Store,
  manifest: ArrowTable,
): Promise<{ ref: ArtifactRef; rows: number }[]> {
  const rows = manifest.numbers('rows');
  const parts: { ref: ArtifactRef; rows: number }[] = [];
  for (const [index, sha256] of manifest.strings('sha256').entries()) {
    const ref = await store.find(sha256, 'trajectory-part');
    if (ref === undefined)
      throw new DamagedArtifactError(
        `Part ${index} of the trajectory, ${sha256.slice(0, 12)}, is gone from the store ${store.uri}.`,
      );
    parts.push({ ref, rows: rows[index]! });
  }
  return parts;
}

/** SHA-256 of the parts that a trajectory lists, whether they are there or not; undefined if the list is damaged or gone. None of another artifact. */
export async function partDigests(store: Store, ref: ArtifactRef): Promise<readonly string[] | undefined> {
  if (ref.kind !== 'trajectory') return [];
  try {
    return (await store.open(ref)).strings('sha256');
  } catch (error) {
    if (error instanceof DamagedArtifactError) return undefined;
    throw error;
  }
}

/** All files that an output consists of: itself and, of a trajectory, its parts. Throws {@link DamagedArtifactError}. */
export async function filesOf(store: Store, ref: ArtifactRef): Promise<ArtifactRef[]> {
  if (ref.kind !== 'trajectory') return [ref];
  return [ref, ...(await partsOf(store, await store.open(ref))).map((part) => part.ref)];
}

/** A finished step in the store. It can be reused if nothing is damaged; nothing else decides that. */
export interface FoundStep {
  readonly record: StepRecord;
  readonly damage: readonly DamagedOutput[];
}

/** The finished step with this key, with what is wrong with those outputs that a plan wants of it. */
export async function findStep(
  store: Store,
  key: string,
  wanted: Readonly<Record<string, ArtifactKind>>,
): Promise<FoundStep | undefined> {
  const record = await store.readStep(key);
  return record && examineStep(store, record, wanted);
}

/** The same of a step whose record has been read. */
export async function examineStep(
  store: Store,
  record: StepRecord,
  wanted: Readonly<Record<string, ArtifactKind>>,
): Promise<FoundStep> {
  const missing = Object.keys(wanted).filter((name) => record.outputs[name]?.kind !== wanted[name]);
  const damage = missing.map((output) => ({ output, what: 'was not in its record' }));
  return { record, damage: [...damage, ...(await damagedOutputs(store, record))] };
}

/** The outputs that cannot be used: a file of theirs is damaged or gone, or says itself that another step made it. */
async function damagedOutputs(
  store: Store,
  { key, uses, outputs }: Pick<StepRecord, 'key' | 'uses' | 'outputs'>,
): Promise<DamagedOutput[]> {
  const found = await Promise.all(
    Object.entries(outputs).map(async ([output, ref]) => {
      const what = await problemOf(store, ref, key, uses);
      return what === undefined ? [] : [{ output, what: `${ref.sha256.slice(0, 12)} ${what}` }];
    }),
  );
  return found.flat();
}

async function problemOf(
  store: Store,
  ref: ArtifactRef,
  key: string,
  uses: string,
): Promise<string | undefined> {
  let files: ArtifactRef[];
  try {
    files = await filesOf(store, ref);
  } catch (error) {
    if (!(error instanceof DamagedArtifactError)) throw error;
    return (await store.verify(ref)) ? 'had parts that were damaged or gone' : 'was damaged or gone';
  }
  const limit = pLimit(filesAtATime);
  const problems = await Promise.all(
    files.map((file) =>
      limit(async () => {
        const described = await describeWhole(store, file);
        if (described === undefined)
          return file === ref ? 'was damaged or gone' : 'had parts that were damaged or gone';
        const { metadata } = described;
        const own = writeMetadata({ key, stage: uses, kind: file.kind });
        const isOwn = Object.entries(own).every(([name, text]) => metadata[name] === text);
        return isOwn ? undefined : 'was made by another step';
      }),
    ),
  );
  return problems.find((problem) => problem !== undefined);
}

async function describeWhole(store: Store, file: ArtifactRef): Promise<Described | undefined> {
  try {
    return await store.describe(file);
  } catch (error) {
    if (error instanceof DamagedArtifactError) return undefined;
    throw error;
  }
}
