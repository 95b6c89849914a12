import { compileFormula, evaluateFormula, type Formula } from '../expressions/formula.ts';
import type { Scope } from '../expressions/scope.ts';
import type { Json } from '../plan.ts';
import { explainSchemaErrors } from '../schema/schema-errors.ts';
import { fillStrategy } from '../schema/schemas.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { reportSchemaProblems, toJsonAt } from '../spec/spec.ts';
import type { ValueMap } from '../values.ts';

export interface StrategySettings {
  readonly maxParallel?: number;
  readonly failFast: boolean;
  readonly minSuccess: number;
}

/** Compiles `strategy` without its matrix. */
export function compileStrategy(strategy: ValueMap, scope: Scope, diagnostics: Diagnostics): Formula {
  const settings = Object.entries(strategy).filter(([key]) => key !== 'matrix');
  return compileFormula(Object.fromEntries(settings), ['strategy'], { diagnostics, scope });
}

/** The settings with their defaults, checked again with their values. */
export function planStrategy(formula: Formula, params: ValueMap, diagnostics: Diagnostics): StrategySettings {
  const value = evaluateFormula(formula, { params }, diagnostics) ?? {};
  const settings = toJsonAt(value, ['strategy'], diagnostics) as Record<string, Json>;
  const { errors } = fillStrategy(settings);
  reportSchemaProblems(explainSchemaErrors(errors, ['strategy']), ['strategy'], diagnostics, '', params);
  const { maxParallel, failFast, minSuccess } = settings as unknown as StrategySettings;
  return { ...(maxParallel === undefined ? {} : { maxParallel }), failFast, minSuccess };
}
