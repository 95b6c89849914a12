import type { ArtifactKind } from '../../artifacts/reference.ts';
import type { Span } from '../diagnostics/text-diagnostics.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { parseTemplate, TemplateError } from '../source/template.ts';
import { describe, isMap, type Path, placeKey, showPath, type Value, type ValueMap } from '../values.ts';
import { toText } from './cel.ts';
import { typeInWords } from './cel-errors.ts';
import { compileExpression, EvaluationFailure, type Expression, type Values } from './expression.ts';
import { artifactCure, kindPhrase, type OutputMention } from './outputs.ts';
import type { Report, Scope } from './scope.ts';
import { TooMuchWork, type WorkBudget } from './work.ts';

/** A value of the file, with its expressions compiled. Made once, evaluated for each cell. */
export type Formula = { readonly kind: 'constant'; readonly value: Value } | ComputedFormula;

type ComputedFormula = { readonly path: Path; readonly budget: WorkBudget } & (
  | { readonly kind: 'whole'; readonly expression: Expression; readonly offset: number }
  | { readonly kind: 'text'; readonly pieces: readonly TextPiece[] }
  | { readonly kind: 'list'; readonly items: readonly Formula[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, Formula])[] }
);

type TextPiece = string | { readonly expression: Expression; readonly offset: number };

/** What a formula is compiled against. */
export interface FormulaContext {
  readonly diagnostics: Diagnostics;
  readonly scope: Scope;
  /** Places that take artifacts, by {@link placeKey}, and the kinds they take. */
  readonly artifacts?: ReadonlyMap<string, readonly ArtifactKind[]>;
}

/** An artifact that a formula can become, and where it says so. */
export interface LocatedOutput extends OutputMention {
  readonly span: Span;
}

/** Compiles the value at `path`; what is wrong goes to the context's diagnostics, and stands as null in the result. */
export function compileFormula(value: Value, path: Path, context: FormulaContext): Formula {
  const accepts = context.artifacts?.get(placeKey(path));
  const { budget } = context.scope;
  if (typeof value === 'string') return compileText(value, path, context, accepts);
  if (accepts !== undefined) {
    const message = `\`${showPath(path)}\` takes ${kindPhrase(accepts)}, got ${describe(value)}`;
    context.diagnostics.error('wrong-reference', path, message, artifactCure(accepts, context.scope));
  }
  if (Array.isArray(value)) {
    const items = value.map((item: Value, index) => compileFormula(item, [...path, index], context));
    return items.every(isConstant) ? { kind: 'constant', value } : { kind: 'list', items, path, budget };
  }
  if (!isMap(value)) return { kind: 'constant', value };
  const entries = Object.entries(value).map(
    ([key, member]) => [key, compileFormula(member, [...path, key], context)] as const,
  );
  return entries.every(([, member]) => isConstant(member))
    ? { kind: 'constant', value }
    : { kind: 'map', entries, path, budget };
}

function compileText(
  text: string,
  path: Path,
  context: FormulaContext,
  accepts: readonly ArtifactKind[] | undefined,
): Formula {
  const { diagnostics, scope } = context;
  const { budget } = scope;
  const place = `\`${showPath(path)}\``;
  const failed: Formula = { kind: 'constant', value: null };
  let template: ReturnType<typeof parseTemplate>;
  try {
    template = parseTemplate(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    diagnostics.error(
      'wrong-expression',
      diagnostics.spanInText(path, error.offset, error.length),
      error.message,
      error.cure,
    );
    return failed;
  }
  const forgotten = forgottenBraces(text, scope);
  if (forgotten !== undefined && !template.whole) {
    diagnostics.error(
      'forgotten-braces',
      path,
      `${place} looks like an expression, but is a text`,
      forgotten,
    );
    return failed;
  }
  if (accepts !== undefined && !template.whole) {
    const message = `${place} takes ${kindPhrase(accepts)}, got ${describe(text)}`;
    diagnostics.error('wrong-reference', path, message, artifactCure(accepts, scope));
    return failed;
  }
  const pieces: TextPiece[] = [];
  for (const piece of template.pieces) {
    if (piece.kind === 'literal') {
      pieces.push(piece.text);
      continue;
    }
    const report: Report = (start, end, message, cure, code = 'wrong-expression') =>
      diagnostics.error(code, diagnostics.spanInText(path, piece.offset + start, end - start), message, cure);
    const expression = compileExpression(piece.text, scope, accepts, place, report);
    if (expression === undefined) return failed;
    if (!template.whole && /^(list|map)/.test(expression.type)) {
      report(
        0,
        piece.text.length,
        `${typeInWords(expression.type)} cannot stand inside a text`,
        'make it a text first: string(x)',
      );
      return failed;
    }
    pieces.push({ expression, offset: piece.offset });
  }
  const [first] = pieces;
  if (template.whole && typeof first === 'object') return { kind: 'whole', path, budget, ...first };
  return pieces.some((piece) => typeof piece === 'object')
    ? { kind: 'text', pieces, path, budget }
    : { kind: 'constant', value: pieces.join('') };
}

/** `params.x` and `stages.x.y` of things that exist, without the braces: surely not meant as a text. */
function forgottenBraces(text: string, { params, roots, downstream }: Scope): string | undefined {
  const match = /^\s*(params|matrix|stages|cells|collect)\.(\w+)(\.\w+)*\s*$/.exec(text);
  if (match === null) return undefined;
  const [, root, name] = match as unknown as [string, string, string];
  const known =
    root === 'params' || root === 'matrix'
      ? params.has(name)
      : roots[root as keyof typeof roots]?.has(name) && !(root === 'stages' && downstream?.has(name));
  return known === true ? `write \`\${{ ${text.trim().replace(/^matrix/, 'params')} }}\`` : undefined;
}

/** Everything a formula says, in the order of the file. */
export function expressionsOf(formula: Formula): { expression: Expression; path: Path; offset: number }[] {
  switch (formula.kind) {
    case 'constant':
      return [];
    case 'whole':
      return [formula];
    case 'text':
      return formula.pieces.flatMap((piece) =>
        typeof piece === 'string' ? [] : [{ ...piece, path: formula.path }],
      );
    case 'list':
      return formula.items.flatMap(expressionsOf);
    case 'map':
      return formula.entries.flatMap(([, member]) => expressionsOf(member));
  }
}

/** The params that a formula reads. */
export function paramsOf(formula: Formula): string[] {
  return [...new Set(expressionsOf(formula).flatMap(({ expression }) => expression.params))];
}

/** The artifacts that a formula can become, with their places in the file. */
export function outputsOf(formula: Formula, diagnostics: Diagnostics): LocatedOutput[] {
  return expressionsOf(formula).flatMap(({ expression, path, offset }) =>
    expression.outputs.map((output) => ({
      ...output,
      span: diagnostics.spanInText(path, offset + output.start, output.end - output.start),
    })),
  );
}

/**
 * The value of a formula. In a map, a key whose expression is null is left out, so that `x: ${{ c ? 5 : null }}` can fall back to a default.
 * Returns undefined after reporting an expression that has no value; `where` (such as "in cell seed=1") ends the message.
 */
export function evaluateFormula(
  formula: Formula,
  values: Values,
  diagnostics: Diagnostics,
  where = '',
): Value | undefined {
  const run = (expression: Expression, path: Path, offset: number): Value => {
    const at = (start: number, end: number) => diagnostics.spanInText(path, offset + start, end - start);
    try {
      return expression.evaluate(values, (start, end, message, cure) =>
        diagnostics.warning('whole-division', at(start, end), message, cure),
      );
    } catch (error) {
      if (error instanceof EvaluationFailure && !error.known)
        diagnostics.error('no-value', at(error.start, error.end), error.message, error.cure, where);
      throw error;
    }
  };
  const evaluate = (part: Formula): Value => {
    switch (part.kind) {
      case 'constant':
        return part.value;
      case 'whole':
        return run(part.expression, part.path, part.offset);
      case 'text': {
        const pieces = part.pieces.map((piece) =>
          typeof piece === 'string' ? piece : toText(run(piece.expression, part.path, piece.offset)),
        );
        part.budget.checkText(pieces.reduce((length, piece) => length + piece.length, 0));
        return pieces.join('');
      }
      case 'list':
        return part.budget.check(part.items.map(evaluate));
      case 'map':
        return part.budget.check(
          Object.fromEntries(
            part.entries.flatMap(([key, member]) => {
              const value = evaluate(member);
              return value === null && member.kind === 'whole' ? [] : [[key, value]];
            }),
          ) as ValueMap,
        );
    }
  };
  if (formula.kind === 'constant') return formula.value;
  try {
    return evaluate(formula);
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    if (!(error instanceof TooMuchWork)) throw error;
    diagnostics.error('too-much-work', formula.path, error.message, error.cure, where);
    return undefined;
  }
}

function isConstant(formula: Formula): boolean {
  return formula.kind === 'constant';
}
