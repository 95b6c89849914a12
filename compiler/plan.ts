import type { ArtifactKind } from '../artifacts/reference.ts';
import type { StepIdentity } from '../artifacts/store/step.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** In a planned `with`, stands for the output of a stage of the same cell. */
export interface PlannedReference {
  readonly $output: { readonly stage: string; readonly output: string; readonly kind: ArtifactKind };
}

/** One stage of one cell: everything evaluated except the artifacts that do not exist yet. */
export interface PlannedStage extends Pick<StepIdentity, 'uses' | 'version'> {
  readonly name: string;
  /** Evaluated `with`, defaults filled in, references as {@link PlannedReference}. */
  readonly with: { readonly [key: string]: Json };
  /** Names of the stages it waits for, sorted. */
  readonly needs: readonly string[];
  /** Output name -> artifact kind. */
  readonly outputs: Readonly<Record<string, ArtifactKind>>;
  /** TensorFlow threads (part of the step key for stages that compute), GPUs, and the queue if the pipeline names one (part of no key). */
  readonly resources: { readonly threads: number; readonly gpu: number; readonly queue?: string };
  readonly retry: { readonly attempts: number };
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
  /**
   * SHA-256 of (kind, version, canonical `with` with every reference replaced by the recipe of the stage it names, threads).
   * Known before anything ran; equal recipes lead to equal step keys.
   */
  readonly recipe: string;
  /** 1-based line of the stage in the pipeline file. */
  readonly line: number;
}

/** One combination of the matrix's axes. */
export interface PlannedCell {
  /** `batchSize=50,seed=1`, or `main` without a matrix; unique, safe in a file name. */
  readonly id: string;
  readonly axes: { readonly [axis: string]: Json };
  readonly params: { readonly [name: string]: Json };
  /** In an order in which each comes after what it needs. */
  readonly stages: readonly PlannedStage[];
}

/** A stage over all cells. */
export interface PlannedCollect extends Pick<StepIdentity, 'uses' | 'version'> {
  readonly name: string;
  /** The cells' stage output that it gathers. */
  readonly table: { readonly stage: string; readonly output: string; readonly kind: ArtifactKind };
  readonly by: readonly string[];
  readonly outputs: Readonly<Record<string, ArtifactKind>>;
  /** Of `defaults`, if that names one. */
  readonly queue?: string;
  readonly line: number;
}

export interface PlannedFigure {
  readonly kind: string;
  /** A stage output of each cell, or the output of a `collect`. */
  readonly from: {
    readonly scope: 'cell' | 'study';
    readonly stage: string;
    readonly output: string;
    readonly kind: ArtifactKind;
  };
  /** `parameters` drawn into the figure, if the pipeline names them. */
  readonly fit?: { readonly stage: string; readonly output: string };
  readonly title?: string;
  readonly caption?: string;
}

/** A checked pipeline with nothing left to decide. Frozen when a study starts; its digest is part of the study's id. */
export interface Plan {
  readonly planVersion: 1;
  readonly name: string;
  readonly description: string;
  readonly source: { readonly file: string; readonly sha256: string; readonly text: string };
  readonly params: { readonly [name: string]: Json };
  readonly axes: readonly string[];
  /** Cells at the same time; absent if that is left to the machine that launches the study. */
  readonly maxParallel?: number;
  readonly failFast: boolean;
  readonly minSuccess: number;
  readonly cells: readonly PlannedCell[];
  readonly collect: readonly PlannedCollect[];
  readonly report: { readonly title: string; readonly figures: readonly PlannedFigure[] };
}
