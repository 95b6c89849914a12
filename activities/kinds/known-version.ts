import type { StepIdentity } from '../../artifacts/store/step.ts';
import { stageKind } from '../../compiler/schema/stage-kinds.ts';

/** Thrown when a plan was made by a version of the program in which a stage kind computes something else: another worker may have that. */
export class OtherVersionError extends Error {
  override readonly name = 'OtherVersionError';
  readonly cure =
    'Start a worker of the version of Epochal that made the plan. Or cancel the study and run the pipeline again with this one: what is the same is reused.';
}

/** Throws {@link OtherVersionError} if this program's stage kind has another version than the plan asks for. A kind of one's own has none here. */
export function mustComputeAsPlanned({ uses, version }: Pick<StepIdentity, 'uses' | 'version'>): void {
  const own = stageKind(uses)?.version;
  if (own === undefined || own === version) return;
  throw new OtherVersionError(
    `The plan asks for version ${version} of \`${uses}\`; this worker computes version ${own}.`,
  );
}
