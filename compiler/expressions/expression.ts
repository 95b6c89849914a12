import { type ASTNode, type EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import type { ArtifactKind } from '../../artifacts/reference.ts';
import { choose, quoteAll } from '../diagnostics/did-you-mean.ts';
import { mentions } from '../schema/names.ts';
import { isPlainObject, type Value, type ValueMap } from '../values.ts';
import { explainCelError } from './cel-errors.ts';
import { type Program, parseCel, prepare } from './cel-program.ts';
import { checkOutputs, type OutputMention } from './outputs.ts';
import type { Report, Scope } from './scope.ts';
import { TooMuchWork } from './work.ts';

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
  /** True if the cause has been told where another expression failed. */
  readonly known: boolean;
  constructor(start: number, end: number, message: string, cure?: string, known = false) {
    super(message);
    this.known = known;
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
    parsed = parseCel(text);
  } catch (error) {
    if (error instanceof ParseError) return explain(error);
    throw error;
  }
  const params = checkParams(parsed.ast, scope, report);
  const outputs = checkOutputs(parsed.ast, scope, accepts, place, report);
  if (params === undefined || outputs === undefined) return undefined;
  let program: Program;
  try {
    program = prepare(parsed, scope.types, scope.budget);
  } catch (error) {
    return explain(error);
  }
  return {
    kind: 'expression',
    text,
    type: program.type,
    params,
    outputs,
    evaluate(values, warn) {
      try {
        const value = program.run(values, (division) => warn?.(...remainderWarning(division, text)));
        return plain(scope.budget.made(value), text.length);
      } catch (error) {
        if (error instanceof EvaluationFailure) throw error;
        const { message, cure, start, end } = explainCelError(error, text, scope);
        const keys = (error as Partial<EvaluationError>).code === 'no_such_key' ? keysAround(start, end) : [];
        const [, key = ''] = /`(.*)`$/s.exec(message) ?? [];
        const known = error instanceof TooMuchWork && error.known;
        throw new EvaluationFailure(
          start,
          end,
          message,
          cure ?? keyCure(key, keys, text.slice(start, end)),
          known,
        );
      }

      /** The keys of the map before the key at `start`, or that `map[key]` from there looks into; where the map is written out or reached by names. */
      function keysAround(start: number, end: number): string[] {
        const before = /(?:^|[^\w.])([a-zA-Z_]\w*(?:\.\w+)*)\.$/.exec(text.slice(0, start))?.[1];
        const at = text.slice(start, end);
        const path = before ?? /^([a-zA-Z_]\w*(?:\.\w+)*|\{[^{}]*\})\s*\[/.exec(at)?.[1];
        if (path === undefined) return [];
        try {
          const map = plain(parseCel(path)(values), path.length);
          return isPlainObject(map) ? Object.keys(map) : [];
        } catch {
          return []; // Names bound by a macro such as map() cannot be looked at from outside.
        }
      }
    },
  };
}

function keyCure(key: string, keys: readonly string[], written: string): string | undefined {
  if (keys.length === 0) return undefined;
  // A key that is computed is not mended where it is used.
  return written === key ? choose(key, keys, 'keys') : `keys: ${quoteAll(keys)}`;
}

/** CEL's result as a value of the pipeline: its maps become plain objects. */
function plain(value: unknown, length: number): Value {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    const [message, cure] = Number.isNaN(value)
      ? [
          'the result is not a number',
          'such as a root of a negative number, or zero by zero: check its parts',
        ]
      : [
          'the result is not a finite number',
          'a division by zero, or a number beyond 1.8e308: check its parts',
        ];
    throw new EvaluationFailure(0, length, message, cure);
  }
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

/** The params that an expression reads; undefined after reporting one that is not there. */
function checkParams(ast: ASTNode, scope: Scope, report: Report): string[] | undefined {
  const names = new Set<string>();
  let sound = true;
  for (const { members, start, end } of mentions(ast, ['params'])) {
    const [member] = members;
    if (member === undefined) {
      report(start, end, '`params` alone is no value', 'name one of them, such as `params.seed`');
      sound = false;
    } else if (scope.params.has(member.name)) names.add(member.name);
    else {
      const absent = scope.absent(member.name);
      const message = absent?.message ?? `there is no param \`${member.name}\``;
      report(
        member.start,
        member.end,
        message,
        absent?.cure ?? choose(member.name, [...scope.params], 'params'),
      );
      sound = false;
    }
  }
  return sound ? [...names] : undefined;
}

function remainderWarning({ args, range }: ASTNode, text: string): Parameters<Report> {
  const [dividend, divisor] = (args as readonly ASTNode[]).map((part) =>
    text.slice(part.range.start, part.range.end),
  );
  const simple = [dividend, divisor].every((part) => /^[\w.]+$/.test(part!));
  const exact = simple ? `\`double(${dividend}) / ${divisor}\`` : 'one side as `double(...)`';
  return [
    range.start,
    range.end,
    'a division of whole numbers drops its remainder',
    `for the exact quotient, write ${exact}`,
  ];
}
