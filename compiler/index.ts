/** YAML text -> checked pipeline -> plan. Pure: no network, no Temporal; the only files it reads are the schemas. */

import type { Plan } from './plan.ts';
import { digestOf } from './recipe.ts';

export { type Compilation, type CompileOptions, compile } from './compile.ts';
export { decode } from './decode.ts';
export {
  type Diagnostic,
  formatDiagnostic,
  formatDiagnostics,
  harmless,
  PipelineError,
} from './diagnostic.ts';
export { type DiagnosticCode, diagnosticCodes } from './diagnostic-codes.ts';
export { figureKinds } from './figure-kinds.ts';
export { toMermaid } from './graph.ts';
export type * from './plan.ts';
export { type StageKind, stageKind, stageKinds } from './stage-kinds.ts';
export { canonicalWith, type StepIdentity, stepKey } from './step-key.ts';

/** SHA-256 of a plan's canonical JSON, in hexadecimal; part of the study's id. */
export function planDigest(plan: Plan): string {
  return digestOf(plan);
}
