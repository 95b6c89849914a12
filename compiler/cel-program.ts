import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { linearMatches } from './cel.ts';
import { operands } from './names.ts';
import type { WorkBudget } from './work.ts';

/** Operators within operators that an expression may have: each costs a call within a call while it is checked and evaluated. */
const deepest = 400;

/** Thrown for an expression that nothing should walk down. */
export class TooDeepError extends Error {
  readonly code = 'too_deep';
  readonly range: { readonly start: number; readonly end: number };
  constructor(start: number, end: number) {
    super('The expression is too deep.');
    this.range = { start, end };
  }
}

/** Parses an expression. Throws `ParseError`, or {@link TooDeepError} for a chain of thousands of operators. */
export function parseCel(environment: Environment, text: string): ParseResult {
  let parsed: ParseResult;
  try {
    parsed = environment.parse(text);
  } catch (error) {
    // The parser itself follows a run of signs such as `----1` by calls within calls.
    throw error instanceof RangeError ? new TooDeepError(0, text.length) : error;
  }
  checkDepth(parsed.ast);
  renameMatches(parsed.ast);
  return parsed;
}

/** Walks without recursion, since it has to survive what it is there to refuse. */
function checkDepth(ast: ASTNode): void {
  let level: ASTNode[] = [ast];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw new TooDeepError(ast.range.start, ast.range.end);
    level = level.flatMap(operands);
  }
}

/** CEL promises matching in linear time, which JavaScript's own regular expressions do not keep. */
function renameMatches(ast: ASTNode): void {
  for (const node of everyNode(ast)) {
    if (node.op === 'rcall' && node.args[0] === 'matches') (node.args as unknown[])[0] = linearMatches;
  }
}

/** Lets a checked expression spend from `budget`: at each step of a macro such as map(), and for each text and list that it puts together. */
export function meter(parsed: ParseResult, budget: WorkBudget): void {
  for (const node of everyNode(parsed.ast)) {
    const { meta } = node as unknown as Metered;
    if (meta.alternate?.op === 'comprehension') {
      wrap(meta.alternate.args.step, () => budget.spend(1, node.range));
    } else if (node.op === '+' || node.op === 'rcall') {
      wrap(node as unknown as Metered, (value) => budget.checkLength(value, node.range));
    }
  }
}

type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/** What the parser keeps with a node besides what its type tells: how it is evaluated, and what a macro stands for. */
interface Metered {
  readonly meta: {
    readonly evaluate: Evaluate;
    readonly alternate?: { readonly op: string; readonly args: { readonly step: Metered } };
  };
  setMeta(key: 'evaluate', evaluate: Evaluate): void;
}

function wrap(node: Metered, afterwards: (value: unknown) => void): void {
  const { evaluate } = node.meta;
  node.setMeta('evaluate', (evaluator, self, context) => {
    const value = evaluate(evaluator, self, context);
    afterwards(value);
    return value;
  });
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
