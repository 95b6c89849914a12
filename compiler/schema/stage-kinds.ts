import type { ArtifactKind } from '../../artifacts/reference.ts';
import { schemas } from './schemas.ts';

/** What the schema of a stage kind says about it beside its `with`. */
export interface StageKind {
  readonly uses: string;
  readonly description: string;
  /** Version of its meaning; raising it makes every earlier result of this kind stale. */
  readonly version: number;
  /** Runs in each cell, or once over all cells (under `collect:`). */
  readonly scope: 'cell' | 'study';
  /** True if it computes with TensorFlow, so that the number of threads is part of its step key. */
  readonly compute: boolean;
  /** Keys of `with` that are artifacts, and their kinds. */
  readonly inputs: Readonly<Record<string, ArtifactKind | readonly ArtifactKind[]>>;
  /** What it writes. */
  readonly outputs: Readonly<Record<string, ArtifactKind>>;
}

const all: Record<string, StageKind> = {};

/** Every stage kind, by the name in `uses:`; one for each file in `schemas/stages/`, and those of the pipeline's own. */
export const stageKinds: Readonly<Record<string, StageKind>> = all;

/** Makes `stageKinds` those of `schemas`. */
export function useStageKinds(): void {
  for (const uses of Object.keys(all)) delete all[uses];
  for (const [uses, schema] of Object.entries(schemas.stages)) {
    all[uses] = Object.freeze({
      uses,
      description: String(schema.description ?? ''),
      version: schema.stage.version,
      scope: schema.stage.scope ?? 'cell',
      compute: schema.stage.compute ?? false,
      inputs: schema.stage.inputs,
      outputs: schema.stage.outputs,
    } satisfies StageKind);
  }
}
useStageKinds();

/** The stage kind of this name, if there is one. */
export function stageKind(uses: string): StageKind | undefined {
  return Object.hasOwn(stageKinds, uses) ? stageKinds[uses] : undefined;
}
