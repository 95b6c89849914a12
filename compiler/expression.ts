import {
  type ASTNode,
  type Environment,
  type EvaluationError,
  ParseError,
  type ParseResult,
} from '@marcbachmann/cel-js';
import type { ArtifactKind } from '../artifacts/reference.ts';
import { explainCelError } from './cel-errors.ts';
import { everyNode, meter, parseCel, TooDeepError } from './cel-program.ts';
import { choose } from './did-you-mean.ts';
import { divisions, mentions } from './names.ts';
import { checkOutputs, type OutputMention } from './outputs.ts';
import type { Report, Scope } from './scope.ts';
import type { Value, ValueMap } from './values.ts';

/** What the names of an expression stand for. */
export interface Values {
  readonly params: ValueMap;
  readonly stages?: ValueMap;
  readonly cells?: ValueMap;
  readonly collect?: ValueMap;
}

/** A checked expression. */
export interface Expression {
  readonly kind: 'expression';
  readonly text: string;
  /** CEL type; `dyn` if it is only known while evaluating. */
  readonly type: string;
  /** Params that it reads. */
  readonly params: readonly string[];
  /** Artifacts that its value can be. */
  readonly outputs: readonly OutputMention[];
  /** Throws {@link EvaluationFailure}. `warn` is told of whole-number divisions that drop a remainder. */
  evaluate(values: Values, warn?: Report): Value;
}

/** Thrown when an expression that passed its check has no value: division by zero, index out of a list. */
export class EvaluationFailure extends Error {
  readonly start: number;
  readonly end: number;
  readonly cure: string | undefined;
  constructor(start: number, end: number, message: string, cure?: string) {
    super(message);
    this.start = start;
    this.end = end;
    this.cure = cure;
  }
}

/**
 * Parses and checks one CEL expression. `accepts` lists the artifact kinds that the place takes, or is undefined where a plain value
 * belongs. Returns undefined after reporting what is wrong.
 */
export function compileExpression(
  text: string,
  scope: Scope,
  accepts: readonly ArtifactKind[] | undefined,
  place: string,
  report: Report,
): Expression | undefined {
  if (text.trim() === '') {
    report(0, text.length, 'an empty expression', 'write what it should be, such as `${{ params.name }}`');
    return undefined;
  }
  const explain = (error: unknown) => {
    const { message, cure, start, end } = explainCelError(error, text, scope);
    report(start, end, message, cure);
    return undefined;
  };
  let parsed: ParseResult;
  try {
    parsed = parseCel(scope.environment, text);
  } catch (error) {
    if (error instanceof ParseError || error instanceof TooDeepError) return explain(error);
    throw error;
  }
  const params = checkParams(parsed.ast, scope, report);
  const outputs = checkOutputs(parsed.ast, scope, accepts, place, report);
  if (params === undefined || outputs === undefined) return undefined;
  widenTernaries(parsed.ast, scope.environment);
  const check = parsed.check();
  if (!check.valid) return explain(check.error);
  meter(parsed, scope.budget);
  const remainders = wholeDivisions(text, parsed.ast, scope.environment);
  return {
    kind: 'expression',
    text,
    type: check.type ?? 'dyn',
    params,
    outputs,
    evaluate(values, warn) {
      try {
        scope.budget.spend(1);
        const value: unknown = parsed(values);
        if (warn !== undefined) for (const remainder of remainders) remainder(values, warn);
        return plain(value, text.length);
      } catch (error) {
        // A function's own error (a bad regular expression, the floor of NaN) is as much the expression's fault as one of CEL's.
        if (error instanceof EvaluationFailure) throw error;
        const { message, cure, start, end } = explainCelError(error, text, scope);
        const keys = (error as Partial<EvaluationError>).code === 'no_such_key' ? keysBefore(start) : [];
        const key = text.slice(start, end);
        throw new EvaluationFailure(start, end, message, cure ?? keyCure(key, keys));
      }

      /** The keys of the map whose key stands at `start`, where it is reached by names alone. */
      function keysBefore(start: number): string[] {
        const path = /(?:^|[^\w.])([a-zA-Z_]\w*(?:\.\w+)*)\.$/.exec(text.slice(0, start))?.[1];
        if (path === undefined) return [];
        try {
          const map = plain(parseCel(scope.environment, path)(values), path.length);
          return isPlainObject(map) ? Object.keys(map) : [];
        } catch {
          return []; // Names bound by a macro such as map() cannot be looked at from outside.
        }
      }
    },
  };
}

function keyCure(key: string, keys: readonly string[]): string | undefined {
  return keys.length === 0 ? undefined : choose(key, keys, 'keys');
}

/** CEL's result as a value of the pipeline: its maps become plain objects. */
function plain(value: unknown, length: number): Value {
  if (Array.isArray(value)) return value.map((item) => plain(item, length));
  const entries =
    value instanceof Map ? [...value] : isPlainObject(value) ? Object.entries(value) : undefined;
  if (entries !== undefined)
    return Object.fromEntries(entries.map(([key, member]) => [String(key), plain(member, length)]));
  if (value === null || ['bigint', 'number', 'string', 'boolean'].includes(typeof value))
    return value as Value;
  throw new EvaluationFailure(
    0,
    length,
    'the result is neither a number, a text, a truth value, a list nor a map',
  );
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The params that an expression reads; undefined after reporting one that is not there. */
function checkParams(ast: ASTNode, scope: Scope, report: Report): string[] | undefined {
  const names = new Set<string>();
  let sound = true;
  for (const { members, start, end } of mentions(ast, ['params'])) {
    const [member] = members;
    if (member === undefined) {
      report(start, end, '`params` alone is no value', 'name one of them, such as `params.seed`');
      sound = false;
    } else if (scope.params.includes(member.name)) names.add(member.name);
    else {
      const absent = scope.absent(member.name);
      const message = absent?.message ?? `there is no param \`${member.name}\``;
      report(member.start, member.end, message, absent?.cure ?? choose(member.name, scope.params, 'params'));
      sound = false;
    }
  }
  return sound ? [...names] : undefined;
}

/**
 * CEL wants both branches of `? :` to have one type. `x ? 100 : 0.5` and `x ? 100 : null` are fine in a pipeline, so such branches are
 * wrapped in `dyn()`, which leaves every other check as it is. Inner choices come first: the type of an outer one depends on them.
 */
function widenTernaries(ast: ASTNode, environment: Environment): void {
  for (const node of everyNode(ast).toReversed()) {
    if (node.op !== '?:') continue;
    const types = [node.args[1], node.args[2]].map((branch) => typeOf(branch, environment));
    const numeric = types.every((type) => type === undefined || ['int', 'double', 'dyn'].includes(type));
    if (types[0] === types[1] && types[0] !== undefined) continue;
    if (!numeric && !types.includes('null')) continue;
    for (const branch of [1, 2] as const) {
      const wrapped = environment.parse('dyn(0)').ast as ASTNode & { op: 'call' };
      wrapped.args[1][0] = node.args[branch];
      node.args[branch] = wrapped;
    }
  }
}

/** CEL type of a part of an expression; undefined if it has none by itself, such as one with names that a macro binds. */
function typeOf(node: ASTNode, environment: Environment): string | undefined {
  const list = environment.parse('[0]');
  (list.ast.args as ASTNode[])[0] = node;
  return /^list<(.+)>$/.exec(list.check().type ?? '')?.[1];
}

/** For each `/` between whole numbers, a function that warns if it drops a remainder. */
function wholeDivisions(text: string, ast: ASTNode, environment: Environment) {
  return divisions(ast).flatMap(({ left, right, node }) => {
    const remainder = environment.parse('0 % 1');
    (remainder.ast.args as ASTNode[]).splice(0, 2, left, right);
    if (remainder.check().type !== 'int') return [];
    return [
      (values: Values, warn: Report) => {
        try {
          if (remainder(values) === 0n) return;
        } catch {
          return; // Its branch is not taken; where it is, the evaluation itself has failed.
        }
        const [dividend, divisor] = [left, right].map(({ range }) => text.slice(range.start, range.end));
        const simple = [dividend, divisor].every((part) => /^[\w.]+$/.test(part!));
        warn(
          node.range.start,
          node.range.end,
          'a division of whole numbers drops its remainder',
          `for the exact quotient, write ${simple ? `\`double(${dividend}) / ${divisor}\`` : 'one side as `double(...)`'}`,
        );
      },
    ];
  });
}
