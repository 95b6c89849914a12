import type { ASTNode } from '@marcbachmann/cel-js';

/** `root.member.member` in an expression, such as `params.batchSize` or `stages.train.state`. Offsets count from the expression's start. */
export interface Mention {
  readonly root: string;
  readonly members: readonly { readonly name: string; readonly start: number; readonly end: number }[];
  readonly start: number;
  readonly end: number;
}

/** Every mention of one of `roots`, wherever it stands in the expression. */
export function mentions(ast: ASTNode, roots: readonly string[]): Mention[] {
  const found: Mention[] = [];
  const walk = (node: ASTNode): void => {
    const mention = asMention(node);
    if (mention !== undefined && roots.includes(mention.root)) found.push(mention);
    else for (const operand of operands(node)) walk(operand);
  };
  walk(ast);
  return found;
}

/** The parts of an expression that can become its value: itself, or both branches of a ternary. */
export function results(ast: ASTNode): ASTNode[] {
  return ast.op === '?:' ? [...results(ast.args[1]), ...results(ast.args[2])] : [ast];
}

/** The chain of members that a node is, if it begins with a name. */
export function asMention(node: ASTNode): Mention | undefined {
  if (node.op === 'id') return { root: node.args, members: [], start: node.range.start, end: node.range.end };
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [target, member] = node.args;
  const before = asMention(target);
  const name =
    typeof member === 'string'
      ? member
      : member.op === 'value' && typeof member.args === 'string'
        ? member.args
        : undefined;
  if (before === undefined || name === undefined) return undefined;
  const end = node.range.end;
  const start = typeof member === 'string' ? end - name.length : member.range.start;
  return { root: before.root, members: [...before.members, { name, start, end }], start: before.start, end };
}

/** The parts of an expression that are expressions themselves. */
export function operands(node: ASTNode): ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    case 'list':
      return node.args;
    default:
      return [...node.args];
  }
}
