import path from 'node:path';
import { findMetadata } from '../../artifacts/arrow/metadata.ts';
import { DamagedRecordError, InputError } from '../../artifacts/errors.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import type { StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';

/** The step that made an artifact, and the same of each of its inputs. */
export interface Origin extends Pick<StepRecord, 'uses' | 'key' | 'with' | 'provenance'> {
  readonly sha256: string;
  /** False if its file is damaged or gone: this is then what the records alone say. */
  readonly whole: boolean;
  readonly kind: ArtifactKind;
  /** Name of the output. */
  readonly output: string;
  readonly seconds: number;
  /** Digests of outside files. */
  readonly sources: Readonly<Record<string, string>>;
  /** Artifacts it was made from; a bare digest where no step is known. */
  readonly inputs: readonly { readonly name: string; readonly origin: Origin | string }[];
}

/** All finished steps in the store. */
async function readSteps(store: Store): Promise<StepRecord[]> {
  const names = await store.listTexts('steps');
  const records = await Promise.all(names.map((name) => store.readStep(path.basename(name, '.json'))));
  return records.filter((record) => record !== undefined);
}

/** The digest that `wanted` means: a digest, the beginning of one, or a path. Throws `InputError` if it is none or not just one. */
export async function findArtifact(store: Store, wanted: string): Promise<string> {
  const prefix = path.basename(wanted, '.arrow').toLowerCase();
  const digests = new Set<string>();
  for (const { outputs } of await readSteps(store)) {
    for (const { sha256 } of Object.values(outputs)) if (sha256.startsWith(prefix)) digests.add(sha256);
  }
  const [first] = digests;
  if (first !== undefined && digests.size === 1) return first;
  throw new InputError(
    first === undefined
      ? `No artifact ${wanted} was made in ${store.uri}.`
      : `${wanted} is the beginning of ${digests.size} digests.`,
    first === undefined ? '`epochal artifacts` lists those of a study.' : 'Give more of it.',
  );
}

/**
 * How the artifact came to be, back to the data; undefined if no step in the store made it. A whole file says itself which step made it. Throws
 * {@link DamagedRecordError} if that step's record does not say the same.
 */
export async function lineage(store: Store, sha256: string): Promise<Origin | undefined> {
  const makers = new Map<string, Maker>();
  for (const record of await readSteps(store)) {
    for (const [output, ref] of Object.entries(record.outputs))
      makers.set(ref.sha256, { record, output, ref });
  }
  const trace = async (digest: string): Promise<Origin | undefined> => {
    const maker = makers.get(digest);
    if (maker === undefined) return undefined;
    const { record, output, ref } = maker;
    const whole = await store.verify(ref);
    if (whole) await checkMaker(store, maker);
    const artifacts = Object.entries(record.inputs).filter(([name]) => isReference(record.with, name));
    const inputs: { name: string; origin: Origin | string }[] = [];
    for (const [name, input] of artifacts) inputs.push({ name, origin: (await trace(input)) ?? input });
    return {
      sha256: digest,
      whole,
      kind: ref.kind,
      output,
      uses: record.uses,
      key: record.key,
      with: record.with,
      seconds: record.provenance.seconds,
      provenance: record.provenance,
      sources: Object.fromEntries(
        Object.entries(record.inputs).filter(([name]) => !isReference(record.with, name)),
      ),
      inputs,
    };
  };
  return trace(sha256);
}

interface Maker {
  readonly record: StepRecord;
  readonly output: string;
  readonly ref: ArtifactRef;
}

async function checkMaker(store: Store, { record, output, ref }: Maker): Promise<void> {
  const said = findMetadata(await store.describe(ref), 'key');
  if (said === record.key) return;
  const what = `names ${ref.sha256.slice(0, 12)} as its ${output}, but that artifact says that step ${said?.slice(0, 12)} made it`;
  throw new DamagedRecordError(`of step ${record.key.slice(0, 12)}`, store.uri, what);
}

/** Inputs are named by where they stand in `with`; outside files stand nowhere in it. */
function isReference(withs: unknown, name: string): boolean {
  const value = name
    .split('.')
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], withs);
  return typeof value === 'object' && value !== null && 'sha256' in value;
}
