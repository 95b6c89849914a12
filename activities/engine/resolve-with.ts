import { type ArtifactRef, isArtifactRef } from '../../artifacts/reference.ts';
import type { Json, PlannedReference, PlannedStage } from '../../compiler/plan.ts';

type Available = Readonly<Record<string, Readonly<Record<string, ArtifactRef>>>>;

/** A planned `with` whose references have become artifacts. */
export interface ResolvedWith {
  readonly with: Record<string, unknown>;
  /** SHA-256 of each artifact, by where it stands in `with`: `data`, `fit.spectrum`. */
  readonly inputs: Record<string, string>;
}

/** Puts the artifacts in the place of the references. Throws if a stage that is referred to has not delivered. */
export function resolveWith(stage: Pick<PlannedStage, 'name' | 'with'>, available: Available): ResolvedWith {
  const inputs: Record<string, string> = {};
  const resolve = (value: Json, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item, index) => resolve(item, `${path}.${index}`));
    if ('$output' in value) {
      const { $output } = value as unknown as PlannedReference;
      const ref = available[$output.stage]?.[$output.output];
      if (!isArtifactRef(ref)) {
        throw new Error(
          `Stage ${stage.name} needs ${$output.stage}.${$output.output} in \`${path}\`, which is not among what it was given: ` +
            `${
              Object.entries(available)
                .map(([name, outputs]) => `${name} (${Object.keys(outputs).join(', ')})`)
                .join(', ') || 'nothing'
            }.`,
        );
      }
      inputs[path] = ref.sha256;
      return ref;
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolve(item, path === '' ? key : `${path}.${key}`)]),
    );
  };
  return { with: resolve({ ...stage.with }, '') as Record<string, unknown>, inputs };
}
