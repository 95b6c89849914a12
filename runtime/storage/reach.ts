import pLimit from 'p-limit';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { partDigests } from '../../artifacts/store/outputs.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { KnownStep, StepIndex } from './step-index.ts';

/** What something needs directly. */
export interface Roots {
  readonly steps?: Iterable<string>;
  readonly artifacts?: Iterable<Pick<ArtifactRef, 'sha256'> & Partial<ArtifactRef>>;
}

/** All that something needs. */
export class Reached {
  /** Keys of finished steps. */
  readonly steps = new Set<string>();
  /** SHA-256 of artifacts, parts too. */
  readonly artifacts = new Set<string>();
  /** Of them, trajectories whose list of parts is damaged or gone: what belongs to them is not known. */
  readonly torn = new Set<string>();
}

/** Follows what needs what: a step its outputs and the steps that made its inputs, back to the data; an artifact its parts and the step that made it. */
export class Reach {
  readonly #store: Store;
  readonly #index: StepIndex;
  readonly #parts = new Map<string, Promise<readonly string[] | undefined>>();
  readonly #atATime = pLimit(16);

  constructor(store: Store, index: StepIndex) {
    this.#store = store;
    this.#index = index;
  }

  /** Adds to `reached` all that the roots need. */
  async follow({ steps = [], artifacts = [] }: Roots, reached = new Reached()): Promise<Reached> {
    const trajectories = new Map<string, ArtifactRef>();
    const waiting: string[] = [...steps];
    const enter = (ref: Pick<ArtifactRef, 'sha256'> & Partial<ArtifactRef>): void => {
      reached.artifacts.add(ref.sha256);
      // Of a pinned artifact, the kind is known by the step that made it.
      if (ref.kind === 'trajectory') trajectories.set(ref.sha256, ref as ArtifactRef);
      waiting.push(...this.#index.makersOf(ref.sha256));
    };
    for (const ref of artifacts) enter(ref);
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const step = this.#index.steps.get(key);
      if (step === undefined || reached.steps.has(key)) continue;
      reached.steps.add(key);
      for (const ref of Object.values(step.outputs)) enter(ref);
      for (const sha256 of step.madeFrom) waiting.push(...this.#index.makersOf(sha256));
    }
    await Promise.all(
      [...trajectories.values()].map(async (ref) => {
        const parts = await this.partsOf(ref);
        if (parts === undefined) reached.torn.add(ref.sha256);
        for (const sha256 of parts ?? []) reached.artifacts.add(sha256);
      }),
    );
    return reached;
  }

  /** The artifacts that a step has left, parts too. */
  async filesOf({
    outputs,
  }: KnownStep): Promise<{ readonly sha256: string; readonly kind: ArtifactRef['kind'] }[]> {
    const files = Object.values(outputs).map(async (ref) => {
      const parts = ref.kind === 'trajectory' ? await this.partsOf(ref) : [];
      return [ref, ...(parts ?? []).map((sha256) => ({ sha256, kind: 'trajectory-part' as const }))];
    });
    return (await Promise.all(files)).flat();
  }

  /** The parts that a trajectory lists, read once; undefined if the list is damaged or gone. */
  partsOf(ref: ArtifactRef): Promise<readonly string[] | undefined> {
    const known = this.#parts.get(ref.sha256) ?? this.#atATime(() => partDigests(this.#store, ref));
    this.#parts.set(ref.sha256, known);
    return known;
  }
}
