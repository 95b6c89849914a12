import type { Facts, Prospect } from '../activities/prospect.ts';
import { loadStage } from '../activities/registry.ts';
import type { Stage } from '../activities/stage.ts';
import { isArtifactRef } from '../artifacts/reference.ts';
import type { PlannedStage } from '../compiler/index.ts';
import { asReference, replaceParts } from '../compiler/recipe.ts';

/** What is known of the outputs of other steps: stage and output, or a digest. */
export type KnownFacts = (reference: { readonly stage: string; readonly output: string } | string) => Facts;

/**
 * What a step with these settings means before it runs; undefined if too little is known. Throws `InputError` if it is sure to fail. A stage kind
 * of one's own that says nothing, or is not there, is not known.
 */
export async function prospectOf(
  uses: string,
  withs: Readonly<Record<string, unknown>>,
  known: KnownFacts,
): Promise<Prospect | undefined> {
  const stage = (await loadStage(uses)) as Stage<unknown>;
  const settings = replaceParts(withs, (part) => {
    const reference = asReference(part);
    if (reference !== undefined) return known(reference);
    const isDigest = isArtifactRef(part) || isCanonicalReference(part);
    return isDigest ? known((part as { sha256: string }).sha256) : undefined;
  });
  return stage.prospect?.(settings as never);
}

/** As references stand in a step record: `{ sha256, kind }`. */
function isCanonicalReference(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'sha256' in part && 'kind' in part;
}

/** The prospects of all stages of a cell, in their order. Stages with equal recipes, in whichever cells, are looked at once. */
export type Prospector = (
  stages: readonly PlannedStage[],
  onFailure: (stage: PlannedStage, error: unknown) => void,
) => Promise<ReadonlyMap<string, Prospect | undefined>>;

export function createProspector(): Prospector {
  const seen = new Map<string, { readonly prospect?: Prospect | undefined; readonly error?: unknown }>();
  return async (stages, onFailure) => {
    const prospects = new Map<string, Prospect | undefined>();
    const known: KnownFacts = (reference) =>
      (typeof reference === 'string'
        ? undefined
        : prospects.get(reference.stage)?.outputs[reference.output]) ?? {};
    for (const stage of stages) {
      let result = seen.get(stage.recipe);
      if (result === undefined) {
        result = await prospectOf(stage.uses, stage.with, known).then(
          (prospect) => ({ prospect }),
          (error: unknown) => ({ error }),
        );
        seen.set(stage.recipe, result);
      }
      if (result.error !== undefined) onFailure(stage, result.error);
      prospects.set(stage.name, result.prospect);
    }
    return prospects;
  };
}
