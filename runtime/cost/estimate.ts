import path from 'node:path';
import type { Facts, Prospect } from '../../activities/kinds/prospect.ts';
import { findMetadata, readMetadata } from '../../artifacts/arrow/metadata.ts';
import { filesOf } from '../../artifacts/store/outputs.ts';
import type { StepIdentity, StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { type Digest, digestsIn, hasProspect, prospectOf } from './prospects.ts';

/** What a stage may cost. */
export interface Estimate {
  /** Absent if nothing comparable has run in this store; `unknown` then says why. */
  readonly seconds?: number;
  /** Bytes written, the parts of a trajectory included; exact but for headers where settings decide them. */
  readonly bytes?: number;
  /** The step that the time is in proportion to. */
  readonly basis?: {
    readonly key: string;
    /** What the stage has another one of, such as the network `lenet`, one of 5,000 weights, or 4 threads: the time is then a guess. */
    readonly other?: string;
  };
  readonly unknown?: string;
}

/** Steps of a store that are looked at, in all and of each kind: enough to find comparable ones, few enough for a dry run. */
const looksAt = 2000;
const looksAtEach = 100;

/** Starting a process and loading TensorFlow takes at most about this long. */
const longestStart = 2;

/**
 * Estimates a stage. Its bytes follow from its settings where those decide them. Its time is that of the comparable step with the most work in
 * the store, in proportion to the work: a step of its kind, of the same network or data set and with the same threads or GPU if there is one. Rough:
 * another machine takes another time.
 */
export type Estimator = (
  uses: string,
  prospect: Prospect | undefined,
  hardware?: Hardware,
) => Promise<Estimate>;

/** What a stage computes with. */
export type Hardware = Pick<StepIdentity, 'threads' | 'device'>;

export async function createEstimator(store: Store | undefined): Promise<Estimator> {
  const past = store === undefined ? undefined : await Past.of(store);
  return async (uses, prospect, hardware) => {
    const steps = (await past?.steps(uses)) ?? [];
    // A kind that says nothing of itself takes about the same each time; one that does, but not for these settings, is not known.
    const typical = prospect === undefined && !(await hasProspect(uses));
    const bytes = prospect?.bytes ?? (typical ? await past?.typicalBytes(uses) : undefined);
    return {
      ...timeOf(uses, steps, prospect, typical, hardware),
      ...(bytes === undefined ? {} : { bytes }),
    };
  };
}

interface PastStep {
  readonly record: StepRecord;
  readonly prospect: Prospect | undefined;
  /** Seconds of it that starting took, about. */
  readonly start: number;
}

/** What has run in a store, and what was known of it before. */
class Past {
  readonly #store: Store;
  readonly #records: readonly StepRecord[];
  /** The step that wrote an artifact, by its digest. */
  readonly #makers = new Map<string, StepRecord>();
  readonly #facts = new Map<string, Promise<Facts>>();
  readonly #prospects = new Map<string, Promise<Prospect | undefined>>();
  readonly #steps = new Map<string, Promise<readonly PastStep[]>>();
  readonly #bytes = new Map<string, Promise<number | undefined>>();

  static async of(store: Store): Promise<Past> {
    const names = (await store.listTexts('steps')).slice(0, looksAt);
    const keys = names.map((name) => path.basename(name, '.json'));
    const records = await store.readSteps(keys);
    return new Past(
      store,
      records.filter((record) => record !== undefined),
    );
  }

  private constructor(store: Store, records: readonly StepRecord[]) {
    this.#store = store;
    this.#records = records;
    for (const record of records)
      for (const { sha256 } of Object.values(record.outputs)) this.#makers.set(sha256, record);
  }

  steps(uses: string): Promise<readonly PastStep[]> {
    return once(this.#steps, uses, () =>
      Promise.all(
        this.#of(uses).map(async (record) => {
          const { seconds, backend } = record.provenance;
          const alike = this.#records.filter(({ provenance }) => provenance.backend === backend);
          const shortest = Math.min(...alike.map(({ provenance }) => provenance.seconds));
          const start = Math.min(longestStart, shortest, 0.8 * seconds);
          return { record, prospect: await this.#prospectOf(record), start };
        }),
      ),
    );
  }

  /** What steps of a kind wrote. */
  typicalBytes(uses: string): Promise<number | undefined> {
    return once(this.#bytes, uses, async () => {
      const sizes = this.#of(uses).map(async ({ outputs }) => {
        let total = 0;
        for (const ref of Object.values(outputs)) {
          for (const { bytes } of await filesOf(this.#store, ref).catch(() => [ref])) total += bytes;
        }
        return total;
      });
      return median(await Promise.all(sizes));
    });
  }

  #of(uses: string): StepRecord[] {
    return this.#records.filter((record) => record.uses === uses).slice(0, looksAtEach);
  }

  #prospectOf(record: StepRecord): Promise<Prospect | undefined> {
    return once(this.#prospects, record.key, async () => {
      const withs = record.with as Readonly<Record<string, unknown>>;
      if (record.uses === 'dataset') return this.#datasetOf(record);
      const facts = new Map<string, Facts>();
      for (const digest of digestsIn(withs)) facts.set(digest.sha256, await this.#factsOf(digest));
      const known = (reference: object) => facts.get((reference as Digest).sha256) ?? {};
      return prospectOf(record.uses, withs, known);
    }).catch(() => undefined);
  }

  /** What is in the files of a data set, since its settings may leave that to outside data. */
  async #datasetOf({ outputs: refs, with: withs }: StepRecord): Promise<Prospect | undefined> {
    const outputs: Record<string, Facts> = {};
    let work = 0;
    for (const [name, ref] of Object.entries(refs)) {
      const table = await this.#store.open(ref);
      const [imageShape, classes] = [readMetadata(table, 'shape'), readMetadata(table, 'classes')];
      outputs[name] = { examples: table.rows, imageShape, classes };
      work += table.rows;
    }
    return { outputs, work, like: String((withs as { readonly name?: string }).name) };
  }

  /** What was known of an artifact before it was made. Its maker may be none of the steps that were looked at: its file names it. */
  #factsOf({ sha256, kind }: Digest): Promise<Facts> {
    return once(this.#facts, sha256, async () => {
      const maker = this.#makers.get(sha256) ?? (await this.#findMaker(sha256, kind));
      const output = Object.entries(maker?.outputs ?? {}).find(([, made]) => made.sha256 === sha256)?.[0];
      if (maker === undefined || output === undefined) return {};
      return (await this.#prospectOf(maker))?.outputs[output] ?? {};
    });
  }

  async #findMaker(sha256: string, kind: Digest['kind']): Promise<StepRecord | undefined> {
    const ref = await this.#store.find(sha256, kind);
    const described = ref && (await this.#store.describe(ref).catch(() => undefined));
    const key = described && findMetadata(described, 'key');
    return key === undefined ? undefined : this.#store.readStep(key);
  }
}

function timeOf(
  uses: string,
  steps: readonly PastStep[],
  prospect: Prospect | undefined,
  typical: boolean,
  hardware: Hardware | undefined,
): Pick<Estimate, 'seconds' | 'basis' | 'unknown'> {
  if (prospect === undefined && !typical)
    return { unknown: `how much work \`${uses}\` has is not known before it runs` };
  if (prospect?.work === undefined) {
    // What has no measure of work takes about the same time each time.
    const seconds = median(steps.map(({ record }) => record.provenance.seconds));
    return seconds === undefined ? { unknown: noneOf(uses) } : { seconds };
  }
  const { work, like } = prospect;
  const measured = steps.filter((step) => (step.prospect?.work ?? 0) > 0);
  const same = preferred(measured, (step) => step.prospect!.like === like);
  const alike = preferred(same, ({ record }) => hardware === undefined || record.device === hardware.device);
  const equipped = preferred(alike, ({ record }) => hardwareOf(record, hardware) === undefined);
  const [most] = equipped.toSorted((a, b) => b.prospect!.work! - a.prospect!.work!);
  if (most === undefined) return { unknown: noneOf(uses) };
  const { record, start } = most;
  const { like: others } = most.prospect!;
  const other =
    others === like || others === undefined
      ? (sizeOf(most.prospect!, prospect) ?? hardwareOf(record, hardware))
      : others;
  return {
    seconds: start + ((record.provenance.seconds - start) * work) / most.prospect!.work!,
    basis: { key: record.key, ...(other === undefined ? {} : { other }) },
  };
}

/** Those that fit, or all if none does. */
function preferred<Item>(items: readonly Item[], fits: (item: Item) => boolean): readonly Item[] {
  const fitting = items.filter(fits);
  return fitting.length > 0 ? fitting : items;
}

/** The weights of a network that is much smaller or larger: small kernels take longer for the same work. */
function sizeOf(past: Prospect, wanted: Prospect): string | undefined {
  const [network, other] = [past, wanted].map(
    ({ outputs }) => Object.values(outputs).find(({ model }) => model !== undefined)?.model,
  );
  if (network === undefined || other === undefined) return undefined;
  const ratio = network.multiplyAdds / other.multiplyAdds;
  return ratio > 2 || ratio < 1 / 2 ? `${network.size.toLocaleString('en-US')} weights` : undefined;
}

/** What a step was computed with, where that is known to be other than this. */
function hardwareOf({ device, threads }: StepRecord, wanted: Hardware | undefined): string | undefined {
  if (wanted === undefined || threads === undefined) return undefined;
  if (device !== wanted.device) return device === 'gpu' ? 'a GPU' : 'no GPU';
  return threads === wanted.threads || device === 'gpu' ? undefined : `${threads} threads`;
}

function noneOf(uses: string): string {
  return `no comparable \`${uses}\` has run in this store`;
}

function once<Value>(known: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>) {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
