import type { ArtifactKind } from '../../artifacts/reference.ts';
import type { DiagnosticCode } from '../diagnostics/diagnostic-codes.ts';
import type { WorkBudget } from './work.ts';

export const artifactRoots = ['stages', 'cells', 'collect'] as const;
export type ArtifactRoot = (typeof artifactRoots)[number];

/** Stage name -> output -> kind; undefined for a stage whose kind is unknown, about which nothing more is said. */
export interface Directory extends ReadonlyMap<string, Readonly<Record<string, ArtifactKind>> | undefined> {
  /** With which settings a stage would write an output that it does not write as it is, by `stage.output`. */
  readonly unwritten?: Readonly<Record<string, string>>;
}

/** What an expression may name where it stands. */
export interface Scope {
  /** CEL types of the members of `params`. */
  readonly types: Readonly<Record<string, string>>;
  /** What all expressions of the pipeline may cost. */
  readonly budget: WorkBudget;
  /** Params with a value here. */
  readonly params: ReadonlySet<string>;
  /** Why a param of this name has no value here, if there is one elsewhere. */
  absent(name: string): { readonly message: string; readonly cure: string } | undefined;
  readonly roots: Readonly<Partial<Record<ArtifactRoot, Directory>>>;
  /** Stages that no hint may name here: a reference to one would close a cycle. */
  readonly downstream?: ReadonlySet<string>;
}

/** Tells what is wrong with `text.slice(start, end)`; without a code, it is the expression that is. */
export type Report = (
  start: number,
  end: number,
  message: string,
  cure?: string,
  code?: DiagnosticCode,
) => void;
