import type { ArtifactKind } from '../../artifacts/reference.ts';
import { type Condition, holds } from './conditions.ts';
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
  /** With which settings it writes an output; always one that is not named here. */
  readonly writes: Readonly<Record<string, readonly Condition[]>>;
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
      writes: schema.stage.writes ?? {},
    } satisfies StageKind);
  }
}
useStageKinds();

/** The stage kind of this name, if there is one. */
export function stageKind(uses: string): StageKind | undefined {
  return Object.hasOwn(stageKinds, uses) ? stageKinds[uses] : undefined;
}

/** The outputs that a stage of this kind writes with these settings; those too of which that is not known yet, as values are expressions (`isPending`). */
export function outputsWith(
  { outputs, writes }: StageKind,
  settings: Readonly<Record<string, unknown>>,
  isPending?: (value: unknown) => boolean,
): Readonly<Record<string, ArtifactKind>> {
  const written = Object.entries(outputs).filter(
    ([name]) => !Object.hasOwn(writes, name) || holds(writes[name]!, settings, isPending) !== false,
  );
  return written.length === Object.keys(outputs).length ? outputs : Object.fromEntries(written);
}
