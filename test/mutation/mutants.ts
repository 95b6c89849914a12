/** Small changes of a source file, one at a time: what a slip of the pen would do to a formula. */
import { parseAst } from 'vitest/node';

export interface Mutant {
  /** From 1. */
  readonly line: number;
  /** The line as it is, without its indentation. */
  readonly text: string;
  /** Which operator, number or call becomes what. */
  readonly change: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const operators: Readonly<Record<string, readonly string[]>> = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '>>': ['<<'],
  '&&': ['||'],
  '||': ['&&'],
  '+=': ['-='],
  '-=': ['+='],
  '*=': ['/='],
  '/=': ['*='],
};

/** Functions of `Math` that become another, or none: `Math.sqrt(x)` becomes `(x)`. */
const others: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  round: 'floor',
  sin: 'cos',
  cos: 'sin',
  expm1: 'exp',
};
const droppable: readonly string[] = ['sqrt', 'abs', 'log', 'log2', 'exp', 'atan', 'sign', 'hypot'];

/** All mutants of a source text, in the order of their places. Types, imports, texts and what is thrown stay as they are. */
export function mutantsOf(source: string): Mutant[] {
  const found: Mutant[] = [];
  const textOf = ({ start, end }: Node) => source.slice(start, end);
  const add = (start: number, end: number, replacement: string, change?: string) => {
    const from = source.lastIndexOf('\n', start - 1) + 1;
    const to = source.indexOf('\n', start);
    found.push({
      line: source.slice(0, start).split('\n').length,
      text: source.slice(from, to < 0 ? undefined : to).trim(),
      change: change ?? `${source.slice(start, end)} becomes ${replacement}`,
      ...{ start, end, replacement },
    });
  };
  const operator = (node: Node) => {
    const [left, right] = [node.left as Node, node.right as Node];
    const own = node.operator as string;
    const start = left.end + source.slice(left.end, right.start).indexOf(own);
    for (const other of operators[own] ?? []) add(start, start + own.length, other);
    if (own === '??') add(node.start, node.end, `(${textOf(right)})`);
  };
  const condition = (test: Node) => {
    const told = ['BinaryExpression', 'LogicalExpression', 'UnaryExpression'].includes(test.type);
    if (!told) add(test.start, test.end, `!(${textOf(test)})`);
  };
  const number = (node: Node) => {
    const value = node.value as number;
    const whole = Number.isInteger(value);
    const other = whole ? (value === 1 ? 0 : value + 1) : value * (value < 1e-3 ? 1e4 : 1.5);
    add(node.start, node.end, String(other));
  };
  const call = (node: Node) => {
    const callee = node.callee as Node;
    const [object, property] = [callee.object as Node | undefined, callee.property as Node | undefined];
    if (object?.type !== 'Identifier' || object.name !== 'Math' || property === undefined) return;
    const name = property.name as string;
    const other = others[name];
    if (other !== undefined) add(property.start, property.end, other);
    const [only, ...rest] = node.arguments as Node[];
    if (droppable.includes(name) && only !== undefined && rest.length === 0 && only.type !== 'SpreadElement')
      add(node.start, node.end, `(${textOf(only)})`);
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    if (!isNode(value)) return;
    const node = value;
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ThrowStatement':
        return;
      case 'TSNonNullExpression':
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
        visit(node.expression);
        return;
      case 'BinaryExpression':
      case 'LogicalExpression':
      case 'AssignmentExpression':
        operator(node);
        break;
      case 'UnaryExpression': {
        const sign = node.operator as string;
        if (sign === '-' || sign === '!') add(node.start, node.end, `(${textOf(node.argument as Node)})`);
        break;
      }
      case 'UpdateExpression':
        add(
          node.start,
          node.end,
          textOf(node).replace(/\+\+|--/, (own) => (own === '++' ? '--' : '++')),
        );
        break;
      case 'IfStatement':
      case 'ConditionalExpression':
      case 'WhileStatement':
        condition(node.test as Node);
        break;
      case 'ForStatement':
        // Backwards it would never end, which tells nothing.
        for (const part of [node.init, node.test, node.body]) visit(part);
        return;
      case 'Literal':
        if (typeof node.value === 'number') number(node);
        else if (typeof node.value === 'boolean') add(node.start, node.end, String(!node.value));
        break;
      case 'CallExpression':
        call(node);
        break;
      case 'ExpressionStatement': {
        const { type, operator: own } = node.expression as Node;
        if (type === 'CallExpression' || (type === 'AssignmentExpression' && own === '='))
          add(node.start, node.end, ';', 'the statement is left out');
        break;
      }
      default:
        if (node.type.startsWith('TS')) return;
    }
    for (const part of Object.values(node)) visit(part);
  };
  visit(parseAst(source, { lang: 'ts' }));
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/**
 * The source with one change. Every loop looks now and then whether the processor time has come that `mutationEnd` of the process says, so that a change which makes
 * it endless ends in an error.
 */
export function mutated(source: string, mutant: Pick<Mutant, 'start' | 'end' | 'replacement'>): string {
  const { start, end, replacement } = mutant;
  const edits = [{ start, end, replacement }];
  for (const { body } of loopsOf(source)) {
    const block = body.type === 'BlockStatement';
    const inside = body.start >= start && body.end <= end;
    if (inside) continue;
    const at = block ? body.start + 1 : body.start;
    edits.push({ start: at, end: at, replacement: block ? `${guard}` : `{${guard}` });
    if (!block) edits.push({ start: body.end, end: body.end, replacement: '}' });
  }
  edits.sort((a, b) => b.start - a.start || b.end - a.end);
  const text = edits.reduce(
    (so, edit) => so.slice(0, edit.start) + edit.replacement + so.slice(edit.end),
    source,
  );
  return `let mutationPasses = 0; ${text}
function mutationGuard() {
  if (++mutationPasses % 65536 === 0 && process.cpuUsage().user > 1e6 * globalThis.mutationEnd) throw new Error('This takes too long.');
}\n`;
}

const guard = 'mutationGuard();';

function loopsOf(source: string): { readonly body: Node }[] {
  const loops: { body: Node }[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (isNode(value)) {
      if (['ForStatement', 'WhileStatement', 'DoWhileStatement'].includes(value.type))
        loops.push({ body: value.body as Node });
      for (const part of Object.values(value)) visit(part);
    }
  };
  visit(parseAst(source, { lang: 'ts' }));
  return loops;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
