import path from 'node:path';
import { findMetadata } from '../../artifacts/arrow/metadata.ts';
import { DamagedArtifactError, DamagedRecordError, InputError } from '../../artifacts/errors.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import { isName } from '../../artifacts/store/names.ts';
import { isReference, type StepRecord } from '../../artifacts/store/step.ts';
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
 * made it; only where one is gone, or another record names it, are all steps of the store read. Throws `InputError` if `wanted` is none or not just
 * one, and {@link DamagedRecordError} if the record of a step does not say the same as the file.
 */
export async function explain(store: Store, wanted: string): Promise<Origin> {
  const makers = new Makers(store);
  const traced = new Map<string, Promise<Origin | undefined>>();
  /** What several were made from is looked at once. */
  const trace = (digest: string): Promise<Origin | undefined> => {
    const known = traced.get(digest) ?? traceOne(digest);
    traced.set(digest, known);
    return known;
  };
  const traceOne = async (digest: string): Promise<Origin | undefined> => {
    const maker = await makers.of(digest);
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
  const prefix = path.basename(wanted, '.arrow').toLowerCase();
  const digests = await makers.beginningWith(prefix);
  if (digests.length > 1)
    throw new InputError(
      `${wanted} is the beginning of ${formatCount(digests.length)} digests.`,
      'Give more of it.',
    );
  const origin = digests[0] === undefined ? undefined : await trace(digests[0]);
  if (origin !== undefined) return origin;
  throw new InputError(
    `No artifact ${wanted} was made in ${store.uri}.`,
    '`epochal artifacts` lists those of a study.',
  );
}

/** Which step made an artifact. */
class Makers {
  readonly #store: Store;
  #all: Promise<ReadonlyMap<string, Maker>> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The digests of artifacts with this beginning: of those that are there, else of those that steps name. */
  async beginningWith(prefix: string): Promise<string[]> {
    const names = prefix.length < 2 ? [] : await this.#filesBeside(prefix);
    const there = names.filter((sha256) => sha256.startsWith(prefix) && isName('SHA-256', sha256));
    if (there.length > 0) return there;
    return [...(await this.#read()).keys()].filter((sha256) => sha256.startsWith(prefix));
  }

  async of(sha256: string): Promise<Maker | undefined> {
    return (await this.#saidByFile(sha256)) ?? (await this.#read()).get(sha256);
  }

  async #filesBeside(prefix: string): Promise<string[]> {
    const folder = `artifacts/${prefix.slice(0, 2)}`;
    const names = isName('record name', folder) ? await this.#store.listFolder(folder) : [];
    return names.map((name) => path.basename(name, '.arrow'));
  }

  async #saidByFile(sha256: string): Promise<Maker | undefined> {
    const unknown = { uri: '', sha256, kind: 'state', bytes: 0 } as const;
    const described = await this.#store.describe(unknown).catch((error: unknown) => {
      if (error instanceof DamagedArtifactError) return undefined;
      throw error;
    });
    const key = described && findMetadata(described, 'key');
    const record = isName('step key', key) ? await this.#store.readStep(key) : undefined;
    for (const [output, ref] of Object.entries(record?.outputs ?? {}))
      if (ref.sha256 === sha256) return { record: record!, output, ref };
    return undefined;
  }

  #read(): Promise<ReadonlyMap<string, Maker>> {
    this.#all ??= readMakers(this.#store);
    return this.#all;
  }
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
