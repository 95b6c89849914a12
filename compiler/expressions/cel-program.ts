import { type ASTNode, EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { asMention, operands } from '../schema/names.ts';
import { isPlainObject } from '../values.ts';
import { language } from './cel.ts';
import {
  arithmeticOperators,
  calculate,
  compare,
  equals,
  isNumeric,
  joinTypes,
  toDecimals,
  unionType,
  whole,
} from './numbers.ts';
import { TooMuchWork, type WorkBudget } from './work.ts';

/** Operators within operators that an expression may have: each costs a call within a call while it is checked and evaluated. */
const deepest = 400;

/** Tells of a `/` between whole numbers that drops a remainder. */
export type OnRemainder = (division: ASTNode) => void;

/** A checked expression. */
export interface Program {
  /** CEL type; `dyn` if it is only known while evaluating. */
  readonly type: string;
  /** The value, as CEL has it. Throws CEL's errors, and `TooMuchWork`. */
  run(values: object, onRemainder?: OnRemainder): unknown;
}

/** Parses an expression. Throws `ParseError`, also for one that is too deep to be walked down. */
export function parseCel(text: string): ParseResult {
  let parsed: ParseResult;
  try {
    parsed = language.parse(text);
  } catch (error) {
    // The parser itself follows a run of signs such as `----1` by calls within calls.
    throw error instanceof RangeError ? tooDeep({ start: 0, end: text.length }) : error;
  }
  checkDepth(parsed.ast);
  for (const node of everyNode(parsed.ast)) checkLiteral(node);
  return parsed;
}

const tooDeep = (range: ASTNode['range']) => new ParseError({ code: 'too_deep', message: '', range });

/** Walks without recursion, since it has to survive what it is there to refuse. */
function checkDepth(ast: ASTNode): void {
  let level: ASTNode[] = [ast];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw tooDeep(ast.range);
    level = level.flatMap(operands);
  }
}

/** CEL's parser takes whole numbers of any length, and has unsigned ones, for which a pipeline has no use. */
function checkLiteral({ op, args, range }: ASTNode): void {
  const unsigned =
    (op === 'value' && typeof args === 'object' && args !== null && !(args instanceof Uint8Array)) ||
    (op === 'call' && args[0] === 'uint');
  if (unsigned) throw new ParseError({ code: 'unsigned', message: '', range });
  if (op === 'value' && typeof args === 'bigint' && args > 2n ** 63n - 1n)
    throw new ParseError({ code: 'numeric_overflow', message: '', range });
}

/**
 * Checks a parsed expression and prepares it to run: `paramTypes` are the CEL types of the members of `params`, `budget` pays for the work.
 * Throws CEL's `TypeError`.
 */
export function prepare(
  parsed: ParseResult,
  paramTypes: Readonly<Record<string, string>>,
  budget: WorkBudget,
): Program {
  const nodes = everyNode(parsed.ast) as unknown as Node[];
  for (const node of nodes) {
    const { check } = node.meta;
    node.setMeta('check', (checker, self, context) => {
      const type = typeOf(node, () => check(checker, self, context), paramTypes);
      return typeof type === 'string' ? checker.getType(type) : type;
    });
  }
  const { valid, type = 'dyn', error } = parsed.check();
  if (!valid) throw error;
  let onRemainder: OnRemainder | undefined;
  for (const node of nodes) {
    operate(node, budget, () => onRemainder?.(node as unknown as ASTNode));
    meter(node, budget);
  }
  return {
    type,
    run(values, warn) {
      onRemainder = warn;
      evaluator.tryEval = (node, context) => {
        try {
          return evaluator.run(node, context);
        } catch (failure) {
          return budget.forgive(failure);
        }
      };
      budget.spend(nodes.length);
      return parsed(values);
    },
  };
}

interface Type {
  readonly name: string;
  readonly hasDynType: boolean;
}

type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;
type Check = (checker: { getType(name: string): Type }, node: unknown, context: unknown) => Type;

/** What CEL keeps with a node: how it is checked and evaluated, what a macro stands for, and what the check has found. */
interface Node {
  readonly op: ASTNode['op'] | 'comprehension';
  readonly args: unknown;
  readonly range: ASTNode['range'];
  readonly meta: {
    readonly check: Check;
    readonly evaluate: Evaluate;
    /** What stands for it: the loop of `map()` and its like, the value of a constant. */
    readonly alternate?: Node & { readonly args: { readonly step: Node } };
    readonly macro?: { evaluate: Evaluate };
  };
  setMeta(key: 'check', check: Check): void;
  setMeta(key: 'evaluate', evaluate: Evaluate): void;
  readonly checkedType: Type;
  readonly candidates?: { readonly returnType: Type };
  /** Computes the value from those of the operands. */
  handle?: (...operands: readonly unknown[]) => unknown;
  /** Ours: its whole numbers become decimals, since its type says so. */
  decimals?: boolean;
}

/** All expressions share it. CEL's own `tryEval` forgives every error in a part of `||` or `exists` that another part makes up for. */
const evaluator = findEvaluator();

interface Evaluator {
  tryEval(node: unknown, context: unknown): unknown;
  run(node: unknown, context: unknown): unknown;
}

function findEvaluator(): Evaluator {
  let found: unknown;
  const probe = language.parse('0');
  (probe.ast as unknown as Node).setMeta('evaluate', (given) => {
    found = given;
  });
  probe();
  return found as Evaluator;
}

/** The type of a node where CEL's checker, `check`, knows less than there is to know, or refuses to mix numbers. */
function typeOf(node: Node, check: () => Type, paramTypes: Readonly<Record<string, string>>): Type | string {
  const operandTypes = () => operands(node as unknown as ASTNode).map((operand) => checkedType(operand));
  const refused = (code: string) => {
    try {
      return check();
    } catch (error) {
      if ((error as { code?: string }).code === code) return error as Error;
      throw error;
    }
  };
  if (node.op === '.' || node.op === '[]') {
    const type = check();
    const { root, members = [] } = asMention(node as unknown as ASTNode) ?? {};
    const [{ name } = { name: '' }, ...more] = members;
    return root === 'params' && more.length === 0 && Object.hasOwn(paramTypes, name)
      ? paramTypes[name]!
      : type;
  }
  if (node.op === 'call') {
    const type = check();
    // Of the functions that fit an operand of any type, CEL takes the first one's result for the type of all.
    return operandTypes().some(({ hasDynType }) => hasDynType) ? node.candidates!.returnType : type;
  }
  if (node.op === 'list') {
    const type = check();
    const union = unionType(operandTypes().map(({ name }) => name));
    node.decimals = type.name === 'list<dyn>' && /double/.test(union);
    return node.decimals ? `list<${union}>` : type;
  }
  if (node.op === '?:') {
    const type = refused('incompatible_ternary_branches');
    const [, left, right] = operandTypes().map(({ name }) => name) as [string, string, string];
    const union = unionType([left, right]);
    node.decimals = left !== right && (/double/.test(union) || [left, right].sort().join() === 'double,dyn');
    if (!(type instanceof Error)) return type;
    if (union === 'dyn' && left !== 'null' && right !== 'null') throw type;
    return union;
  }
  if (!binary.includes(node.op)) return check();
  const type = refused('no_such_overload');
  if (!(type instanceof Error)) return type;
  const [left, right] = operandTypes().map(({ name }) => name) as [string, string];
  const joined = joinTypes(node.op === 'in' ? `list<${left}>` : left, right);
  if (joined === undefined) throw type;
  if (['==', '!=', 'in'].includes(node.op)) return 'bool';
  if (node.op !== '+' || !joined.startsWith('list<')) throw type;
  node.decimals = true;
  return joined;
}

const comparisons: readonly string[] = ['<', '<=', '>', '>='];
const binary: readonly string[] = [...arithmeticOperators, ...comparisons, '==', '!=', 'in'];

const checkedType = (node: ASTNode) => (node as unknown as Node).checkedType;

/** Replaces what a node does with its operands by an exact, or a faster, way to do it; where there is none, `handle` stays in charge. */
function operate(node: Node, budget: WorkBudget, onRemainder: () => void): void {
  const { handle } = node;
  const operation = operationOf(node, budget, onRemainder);
  if (handle === undefined || operation === undefined) return;
  node.handle = (...given) => {
    const value = operation(...given);
    return value === undefined ? handle(...given) : value;
  };
}

type Operation = (...operands: readonly unknown[]) => unknown;

function operationOf(node: Node, budget: WorkBudget, onRemainder: () => void): Operation | undefined {
  const { op } = node;
  if (op === '-_') return (a) => (typeof a === 'bigint' ? whole(-a) : undefined);
  if (op === 'call' || op === 'rcall') {
    const [name] = node.args as [string];
    const method = methodOf(name, budget);
    return (given, ...rest) => {
      for (const value of given as readonly unknown[])
        if (name !== 'size' || !Array.isArray(value))
          budget.spendOn(value, name === 'string' ? stepsOfWriting : undefined);
      if (name.startsWith('get')) budget.spend(stepsOfTime);
      return method?.(given, ...rest);
    };
  }
  if (op === 'in') {
    return (a, list) => {
      if (!Array.isArray(list)) return undefined;
      budget.spendOn(list);
      return list.some((item) => equals(a, item));
    };
  }
  if (op === '==' || op === '!=') {
    return (a, b) => {
      if (!isPlain(a) || !isPlain(b)) return undefined;
      budget.spendOn(a);
      return equals(a, b) === (op === '==');
    };
  }
  if (comparisons.includes(op)) {
    return (a, b) => {
      budget.spendOn(a);
      return isNumeric(a) && isNumeric(b) ? compare(op, a, b) : undefined;
    };
  }
  if (!arithmeticOperators.includes(op)) return undefined;
  return (a, b) => {
    if (op === '+' && Array.isArray(a) && Array.isArray(b)) return a.concat(b);
    if (!isNumeric(a) || !isNumeric(b)) return undefined;
    const value = calculate(op, a, b);
    if (op === '/' && typeof value === 'bigint' && value * (b as bigint) !== a) onRemainder();
    return value;
  };
}

/** True for what equals what has the same parts; other things of CEL, such as times, know by themselves what they equal. */
function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Array.isArray(value) || isPlainObject(value);
}

/** Steps for a character of a pattern, for a part of what it is translated to, and for a pair of a character and such a part. */
const [stepsOfPattern, stepsOfPart, stepsOfMatch] = [500, 20, 1 / 3];
/** Steps for a part of a list that is written as a text, and for asking the rules of a time zone. */
const [stepsOfWriting, stepsOfTime] = [10, 3000];
/** Steps for a pair of characters in the search for one text in another, which the JavaScript engine does fast, but not always in linear time. */
const stepsOfSearch = 1 / 1000;

function methodOf(name: string, budget: WorkBudget): Operation | undefined {
  const onTexts =
    (compute: (text: string, other: string) => unknown): Operation =>
    (given) => {
      const [text, other] = given as readonly unknown[];
      return typeof text === 'string' && typeof other === 'string' ? compute(text, other) : undefined;
    };
  if (name === 'matches') {
    // CEL promises matching in linear time, which JavaScript's own regular expressions do not keep.
    const patterns = new Map<string, RE2JS>();
    return onTexts((text, pattern) => {
      const program = patterns.get(pattern) ?? readPattern(pattern, budget);
      patterns.set(pattern, program);
      budget.spend(text.length * program.programSize() * stepsOfMatch);
      return program.matcher(text).find();
    });
  }
  if (['contains', 'indexOf', 'lastIndexOf', 'split'].includes(name))
    return onTexts((text, part) => {
      budget.spend(text.length * part.length * stepsOfSearch);
      return undefined;
    });
  if (name === 'join')
    return (given) => {
      const [list, separator] = given as readonly unknown[];
      if (Array.isArray(list) && typeof separator === 'string') budget.spend(list.length * separator.length);
      return undefined;
    };
  return undefined;
}

/** Steps for going once through the loop of a macro, besides those of its parts. */
const stepsOfLoop = 10;

function readPattern(pattern: string, budget: WorkBudget): RE2JS {
  budget.spend(pattern.length * stepsOfPattern);
  try {
    const program = RE2JS.compile(pattern);
    budget.spend(program.programSize() * stepsOfPart);
    return program;
  } catch (error) {
    if (error instanceof TooMuchWork) throw error;
    const message = (error as Error).message.replace(/^error parsing regexp: /, '');
    throw new EvaluationError({ code: 'invalid_regular_expression', message });
  }
}

/** Lets a node pay for what it makes, gives its errors their place, and makes decimals of whole numbers where its type says so. */
function meter(node: Node, budget: WorkBudget): void {
  const { macro, evaluate } = node.meta;
  const alternate = node.meta.alternate?.op === 'comprehension' ? node.meta.alternate : undefined;
  if (alternate !== undefined) {
    const { step } = alternate.args;
    const steps = stepsOfLoop + everyNode(node as unknown as ASTNode).length;
    const loop = alternate.handle!;
    alternate.handle = (items, ...rest) => {
      // Of a map CEL makes a list of its keys.
      if (!Array.isArray(items)) budget.spendOn(items);
      return loop(items, ...rest);
    };
    const once = step.meta.evaluate;
    step.setMeta('evaluate', (...given) => {
      budget.spend(steps);
      return once(...given);
    });
  }
  const inner = alternate?.meta.evaluate ?? macro?.evaluate ?? evaluate;
  const makes = alternate !== undefined || ['list', 'map', '+', 'call', 'rcall'].includes(node.op);
  const metered: Evaluate = (...given) => {
    try {
      const value = inner(...given);
      if (!makes && node.decimals !== true) return value;
      const finished = finish(node, value);
      return makes ? budget.made(finished) : finished;
    } catch (error) {
      if (error instanceof TooMuchWork) error.range ??= node.range;
      else if (error instanceof EvaluationError) error.withAst(node as unknown as ASTNode);
      // What the JavaScript engine refuses, such as a time zone that there is not.
      else throw new EvaluationError({ code: 'failed', message: '', range: node.range, cause: error });
      throw error;
    }
  };
  if (macro === undefined) (alternate ?? node).setMeta('evaluate', metered);
  else macro.evaluate = metered;
}

function finish(node: Node, value: unknown): unknown {
  if (typeof value === 'bigint' && node.op === 'call') return whole(value);
  if (node.decimals === true) return toDecimals(value);
  // The types of the items may only be known now.
  if (
    node.op === 'list' &&
    Array.isArray(value) &&
    value.every(isNumeric) &&
    value.some((item) => typeof item === 'number')
  )
    return value.map(Number);
  return value;
}

/** All parts of an expression, each before its own parts. */
export function everyNode(ast: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  for (const queue = [ast]; queue.length > 0; ) {
    const node = queue.pop()!;
    found.push(node);
    queue.push(...operands(node));
  }
  return found;
}
