import { isOwnModule } from '../../artifacts/own-module.ts';
import { isArtifactRef } from '../../artifacts/reference.ts';
import type { Step, StepIdentity } from '../../artifacts/store/step.ts';
import type { Json } from '../plan.ts';
import { validateWith } from '../schema/schemas.ts';
import { stageKind } from '../schema/stage-kinds.ts';
import { digestOf, replaceParts, without } from './recipe.ts';

/**
 * The step with this identity, canonical and without what does not decide the result, under its key: the SHA-256, in hexadecimal, of (stage kind,
 * version, canonical `with`, digests of its inputs, and threads and GPU if it computes). Of a stage kind of one's own (`EPOCHAL_STAGE_MODULES`),
 * which has no schema here, all of its `with` counts, and threads and GPU too. Throws if a stage kind that computes is given no threads.
 */
export function stepOf(identity: StepIdentity): Step {
  const { uses, version, inputs } = identity;
  const isKnown = stageKind(uses) !== undefined;
  const withs = isKnown ? canonicalWith(uses, identity.with) : withoutPlaces(identity.with);
  const step = { uses, version, with: withs, inputs, ...hardwareOf(identity) };
  return { ...step, key: digestOf(step) };
}

/**
 * `with` as it enters a step key: without locations (keys that only say where data lie; its digest is among the inputs), and with each
 * artifact as `{ sha256, kind }`, so that neither moving the data nor the store changes the key. Throws for an unknown stage kind.
 */
export function canonicalWith(uses: string, withs: unknown): Json {
  // The schema beside a module of one's own is known where pipelines are compiled, not where they run: all of its `with` counts.
  if (isOwnModule(uses)) return withoutPlaces(withs) as Json;
  if (stageKind(uses) === undefined) throw new Error(`Expected a stage kind, got "${uses}".`);
  const { locations } = validateWith(uses, withs as Json);
  return withoutPlaces(without(withs, locations)) as Json;
}

/** What a step computes with, as far as that decides its bits. Throws if a stage kind that computes is given no threads. */
export function hardwareOf({
  uses,
  threads,
  device,
}: Pick<StepIdentity, 'uses' | 'threads' | 'device'>): Pick<StepIdentity, 'threads' | 'device'> {
  if (stageKind(uses)?.compute === false) return {};
  if (threads === undefined) throw new Error(`Expected the number of threads of a "${uses}" step, got none.`);
  return { threads, ...(device === undefined ? {} : { device }) };
}

/** A copy in which each artifact is `{ sha256, kind }`. */
function withoutPlaces(withs: unknown): unknown {
  return replaceParts(withs, (part) =>
    isArtifactRef(part) ? { sha256: part.sha256, kind: part.kind } : undefined,
  );
}
