import type { TypeError as CelTypeError, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { functionNames } from './cel.ts';
import { choose, didYouMean } from './did-you-mean.ts';
import type { Scope } from './scope.ts';

export interface CelExplanation {
  readonly message: string;
  readonly cure: string | undefined;
  /** Offsets in the expression. */
  readonly start: number;
  readonly end: number;
}

/** What CEL says about an expression, in a pipeline author's words. */
export function explainCelError(
  error: unknown,
  text: string,
  scope: Pick<Scope, 'params' | 'roots'>,
): CelExplanation {
  const { code, range } = error as Partial<ParseError | CelTypeError | EvaluationError>;
  const { summary = (error as Error).message } = error as Partial<ParseError>;
  const start = Math.min(range?.start ?? 0, Math.max(0, text.trimEnd().length - 1));
  const end = Math.min(Math.max(range?.end ?? text.length, start + 1), text.length);
  const at = { start, end };
  switch (code) {
    case 'unknown_variable': {
      const name = /: (\w+)/.exec(summary)?.[1] ?? '';
      return { ...at, message: `\`${name}\` is not known here`, cure: unknownNameCure(name, scope) };
    }
    case 'no_such_overload': {
      const operation = summary.replace(/^.*?: /, '');
      return {
        ...at,
        message: `there is no \`${operation}\``,
        cure: 'convert one side: int(x), double(x) or string(x)',
      };
    }
    case 'no_matching_overload': {
      const call = /'(.+)'/.exec(summary)?.[1] ?? summary;
      const name = /^\w+/.exec(call)?.[0] ?? '';
      return functionNames.includes(name)
        ? {
            ...at,
            message: `there is no \`${call}\``,
            cure: 'convert its arguments: int(x), double(x) or string(x)',
          }
        : {
            ...at,
            message: `there is no function \`${call}\``,
            cure: choose(name, functionNames, 'functions'),
          };
    }
    case 'incompatible_ternary_branches':
      return { ...at, message: lowerFirst(summary), cure: 'give both branches one type' };
    case 'division_by_zero':
    case 'modulo_by_zero':
      return { ...at, message: 'division by zero', cure: undefined };
    case 'unexpected_token':
    case 'unexpected_character':
    case 'expected_token':
    case 'unterminated_string':
      return { ...at, message: `not a valid expression: ${lowerFirst(summary)}`, cure: syntaxCure(text) };
    default:
      return { ...at, message: lowerFirst(summary), cure: undefined };
  }
}

function unknownNameCure(name: string, { params, roots }: Pick<Scope, 'params' | 'roots'>): string {
  if (name === 'matrix') return 'write `params.<axis>`: each combination of the matrix overrides `params`';
  if (params.includes(name)) return `did you mean \`params.${name}\`?`;
  const meant = didYouMean(name, ['params', ...Object.keys(roots)]);
  return meant === undefined
    ? `a param is \`params.name\`; a text needs quotes: "${name}"`
    : `did you mean \`${meant}\`?`;
}

function syntaxCure(text: string): string {
  if (/[^=!<>]=(?!=)/.test(text)) return 'to compare, write `==`';
  if (/\*\*/.test(text)) return 'a power is `pow(x, y)`';
  if (/\b(and|or|not)\b/.test(text)) return 'logic is written `&&`, `||` and `!`';
  return 'expressions are CEL, such as `2 * params.batchSize` or `params.size == "small" ? 1 : 10`';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
