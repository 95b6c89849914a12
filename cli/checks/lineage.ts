import path from 'node:path';
import { findMetadata } from '../../artifacts/arrow/metadata.ts';
import { DamagedRecordError, InputError } from '../../artifacts/errors.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import type { StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { formatCount } from '../../report/numbers.ts';

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

/**
 * How the artifact came to be that `wanted` means (a digest, the beginning of one, or a path), back to the data. A whole file says itself which step
 * made it. Throws `InputError` if `wanted` is none or not just one, and {@link DamagedRecordError} if the record of a step does not say the same as the
 * file.
 */
export async function explain(store: Store, wanted: string): Promise<Origin> {
  const makers = await readMakers(store);
  const traced = new Map<string, Promise<Origin | undefined>>();
  /** What several were made from is looked at once. */
  const trace = (digest: string): Promise<Origin | undefined> => {
    const known = traced.get(digest) ?? traceOne(digest);
    traced.set(digest, known);
    return known;
  };
  const traceOne = async (digest: string): Promise<Origin | undefined> => {
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
  return (await trace(meant(wanted, makers, store.uri)))!;
}

/** What made each artifact, as all finished steps in the store say. */
async function readMakers(store: Store): Promise<ReadonlyMap<string, Maker>> {
  const makers = new Map<string, Maker>();
  const names = await store.listTexts('steps');
  for (const record of await store.readSteps(names.map((name) => path.basename(name, '.json')))) {
    for (const [output, ref] of Object.entries(record?.outputs ?? {}))
      makers.set(ref.sha256, { record: record!, output, ref });
  }
  return makers;
}

function meant(wanted: string, makers: ReadonlyMap<string, Maker>, place: string): string {
  const prefix = path.basename(wanted, '.arrow').toLowerCase();
  const digests = [...makers.keys()].filter((sha256) => sha256.startsWith(prefix));
  const [first] = digests;
  if (first !== undefined && digests.length === 1) return first;
  throw new InputError(
    first === undefined
      ? `No artifact ${wanted} was made in ${place}.`
      : `${wanted} is the beginning of ${formatCount(digests.length)} digests.`,
    first === undefined ? '`epochal artifacts` lists those of a study.' : 'Give more of it.',
  );
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
