import { resolveWith } from '../../activities/engine/resolve-with.ts';
import { stepOfStage } from '../../activities/engine/step.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { isReference, type StepRecord } from '../../artifacts/store/step.ts';
import { digestOf } from '../../compiler/plan/recipe.ts';
import type { PlannedStage } from '../../compiler/plan.ts';

export type Outputs = Readonly<Record<string, ArtifactRef>>;

/** What is needed of the record of a finished step to say what it belongs to. */
export interface KnownStep {
  readonly key: string;
  readonly uses: string;
  readonly outputs: Outputs;
  /** SHA-256 of the artifacts that it was made from; what lies outside of the store is not among them. */
  readonly madeFrom: readonly string[];
}

/** The finished steps of a store, by what can be asked of them. */
export class StepIndex {
  readonly steps = new Map<string, KnownStep>();
  readonly #makers = new Map<string, string[]>();
  readonly #records: readonly StepRecord[];
  #alike: Map<string, string[]> | undefined;

  constructor(records: readonly StepRecord[]) {
    this.#records = records;
    for (const record of records) {
      const { key, uses, outputs } = record;
      this.steps.set(key, { key, uses, outputs, madeFrom: artifactsIn(record) });
      for (const { sha256 } of Object.values(outputs)) enter(this.#makers, sha256, key);
    }
  }

  /** Keys of the steps that have an artifact among their outputs: one, unless records were forged. */
  makersOf(sha256: string): readonly string[] {
    return this.#makers.get(sha256) ?? [];
  }

  /**
   * The steps that a stage may have been, or that it could be taken from, given what the stages before it left: those with the same settings and inputs, whatever the outside
   * files were like that it read, and wherever it was computed. Throws if the stage kind cannot be understood.
   */
  stepsOf(stage: PlannedStage, available: Readonly<Record<string, Outputs>>): KnownStep[] {
    const step = stepOfStage(stage, resolveWith(stage, available), {}, undefined);
    // Records of earlier versions lack their threads.
    const likenesses = new Set([likenessOf(step, step.threads), likenessOf(step, undefined)]);
    this.#alike ??= this.#compare();
    const alike = this.#alike;
    return [...likenesses]
      .flatMap((likeness) => alike.get(likeness) ?? [])
      .map((key) => this.steps.get(key)!);
  }

  /** It takes a while, and is not needed where all studies have ended well. */
  #compare(): Map<string, string[]> {
    const alike = new Map<string, string[]>();
    for (const record of this.#records) enter(alike, likenessOf(record, record.threads), record.key);
    return alike;
  }
}

/** Equal for steps that differ in nothing but outside files and the device. */
function likenessOf(
  { uses, version, with: withs }: Pick<StepRecord, 'uses' | 'version' | 'with'>,
  threads?: number,
): string {
  return digestOf({ uses, version, with: withs, threads: threads ?? null });
}

/** Of the inputs, those that are artifacts. A `collect` names its tables by their cells. */
function artifactsIn({ uses, with: withs, inputs }: StepRecord): string[] {
  return Object.entries(inputs)
    .filter(([name]) => uses === 'collect' || isReference(withs, name))
    .map(([, sha256]) => sha256);
}

function enter(map: Map<string, string[]>, name: string, key: string): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [key]);
  else known.push(key);
}
