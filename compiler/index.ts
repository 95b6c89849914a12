/** YAML text -> checked pipeline -> plan. Pure: no network, no Temporal; the only files it reads are the schemas, and those beside a pipeline's own modules. */

import { digestOf } from './plan/recipe.ts';
import type { Plan } from './plan.ts';

export { type Compilation, type CompileOptions, compile } from './compile.ts';
export {
  type Diagnostic,
  formatDiagnostic,
  formatDiagnostics,
  harmless,
  PipelineError,
} from './diagnostics/diagnostic.ts';
export { type DiagnosticCode, diagnosticCodes } from './diagnostics/diagnostic-codes.ts';
export { toMermaid } from './plan/graph.ts';
export { canonicalWith, stepOf } from './plan/step-key.ts';
export type * from './plan.ts';
export { figureKinds } from './schema/kinds.ts';
export { type StageKind, stageKind, stageKinds } from './schema/stage-kinds.ts';
export { decode } from './source/decode.ts';

/** SHA-256 of a plan's canonical JSON, in hexadecimal; part of the study's id. */
export function planDigest(plan: Plan): string {
  return digestOf(plan);
}
