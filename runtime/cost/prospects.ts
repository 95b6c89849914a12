import type { Facts, Prospect } from '../../activities/kinds/prospect.ts';
import { loadStage } from '../../activities/kinds/registry.ts';
import type { Stage } from '../../activities/kinds/stage.ts';
import { modulesOf } from '../../artifacts/own-module.ts';
import { type ArtifactKind, artifactKinds } from '../../artifacts/reference.ts';
import type { PlannedStage } from '../../compiler/index.ts';
import { asReference, replaceParts } from '../../compiler/plan/recipe.ts';
import type { PlannedReference } from '../../compiler/plan.ts';

/** An artifact as a step record names it. */
export interface Digest {
  readonly sha256: string;
  readonly kind: ArtifactKind;
}

/** What is known of the outputs of other steps. */
export type KnownFacts = (reference: PlannedReference['$output'] | Digest) => Facts;

/**
 * What a step with these settings means before it runs; undefined if too little is known. Outside data are looked at if they are told to lie
 * relative to `baseDirectory`. Throws `InputError` if it is sure to fail, or outside data are missing. A stage kind of one's own that says nothing,
 * or is not there, is not known.
 */
export async function prospectOf(
  uses: string,
  withs: Readonly<Record<string, unknown>>,
  known: KnownFacts,
  baseDirectory?: string,
): Promise<Prospect | undefined> {
  // The code of modules of one's own runs only where a stage is computed: before that, nothing is known of it.
  if (modulesOf(uses, withs).length > 0) return undefined;
  const stage = await stageOf(uses);
  const settings = replaceParts(withs, (part) => {
    const reference = asReference(part) ?? asDigest(part);
    return reference === undefined ? undefined : known(reference);
  });
  return stage.prospect?.(settings as never, baseDirectory);
}

/** Of each kind, since the stages of thousands of cells ask. */
const loaded = new Map<string, Stage<unknown>>();

async function stageOf(uses: string): Promise<Stage<unknown>> {
  const stage = loaded.get(uses) ?? ((await loadStage(uses)) as Stage<unknown>);
  loaded.set(uses, stage);
  return stage;
}

/** Whether a stage kind says of itself what it means; `collect` is none of a cell's, and says nothing. */
export async function hasProspect(uses: string): Promise<boolean> {
  return (await stageOf(uses).catch(() => undefined))?.prospect !== undefined;
}

/** The artifacts in the `with` of a step record. */
export function digestsIn(withs: unknown): Digest[] {
  const found: Digest[] = [];
  replaceParts(withs, (part) => {
    const digest = asDigest(part);
    if (digest !== undefined) found.push(digest);
    return digest;
  });
  return found;
}

function asDigest(part: unknown): Digest | undefined {
  const { sha256, kind } = (part ?? {}) as Partial<Digest>;
  return typeof sha256 === 'string' && artifactKinds.includes(kind!) ? { sha256, kind: kind! } : undefined;
}

/** The prospects of all stages of a cell, in their order. Stages with equal settings and equal inputs, in whichever cells, are looked at once. */
export type Prospector = (
  stages: readonly PlannedStage[],
  onFailure: (stage: PlannedStage, error: unknown) => void,
) => Promise<ReadonlyMap<string, Prospect | undefined>>;

interface Seen {
  readonly id: number;
  readonly prospect?: Prospect | undefined;
  readonly error?: unknown;
}

/** With `baseDirectory`, outside data are looked at too. */
export function createProspector(baseDirectory?: string): Prospector {
  const seen = new Map<string, Seen>();
  return async (stages, onFailure) => {
    const own = new Map<string, Seen>();
    const known: KnownFacts = (reference) =>
      'sha256' in reference ? {} : (own.get(reference.stage)?.prospect?.outputs[reference.output] ?? {});
    for (const stage of stages) {
      const { name, uses, needs } = stage;
      // Not the recipe: that leaves out where data lie, on which may depend how many there are.
      const key = JSON.stringify([uses, stage.with, needs.map((need) => own.get(need)?.id)]);
      let result = seen.get(key);
      if (result === undefined) {
        const id = seen.size;
        result = await prospectOf(uses, stage.with, known, baseDirectory).then(
          (prospect) => ({ id, prospect }),
          (error: unknown) => ({ id, error }),
        );
        seen.set(key, result);
      }
      if (result.error !== undefined) onFailure(stage, result.error);
      own.set(name, result);
    }
    return new Map([...own].map(([name, { prospect }]) => [name, prospect]));
  };
}
