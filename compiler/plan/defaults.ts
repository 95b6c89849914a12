import type { Values } from '../expressions/expression.ts';
import { compileFormula, evaluateFormula, type Formula } from '../expressions/formula.ts';
import type { Scope } from '../expressions/scope.ts';
import { explainSchemaErrors } from '../schema/schema-errors.ts';
import { validateDefaults } from '../schema/schemas.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { reportSchemaProblems, toJsonAt } from '../spec/spec.ts';
import { isMap, type ValueMap } from '../values.ts';

/** `resources`, `retry` and `timeout` of all stages that do not say otherwise. */
export class Defaults {
  readonly formula: Formula;
  readonly #diagnostics: Diagnostics;

  constructor(defaults: ValueMap, scope: Scope, diagnostics: Diagnostics) {
    this.formula = compileFormula(defaults, ['defaults'], { diagnostics, scope });
    this.#diagnostics = diagnostics;
  }

  /** Their values, or undefined after reporting what is wrong with them. */
  evaluate(values: Values, where = ''): ValueMap | undefined {
    const value = evaluateFormula(this.formula, values, this.#diagnostics, where);
    if (!isMap(value)) return undefined;
    if (Object.keys(value).length === 0) return value;
    const { errors } = validateDefaults(toJsonAt(value, ['defaults'], this.#diagnostics, where));
    const found = explainSchemaErrors(errors, ['defaults']);
    reportSchemaProblems(found, ['defaults'], this.#diagnostics, where, values.params);
    return errors.length > 0 ? undefined : value;
  }
}

/** What a stage says of itself, and what it leaves to the defaults: key by key, one level down too. */
export function withDefaults(defaults: ValueMap, own: ValueMap): ValueMap {
  const parts = Object.entries(defaults).map(([key, part]) => {
    const given = own[key];
    return [key, isMap(part) && isMap(given) ? { ...part, ...given } : (given ?? part)] as const;
  });
  return { ...own, ...Object.fromEntries(parts) };
}
