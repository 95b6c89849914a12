import type { TypeError as CelTypeError, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { functionNames } from './cel.ts';
import { choose, didYouMean } from './did-you-mean.ts';
import { findOddCharacter } from './odd-characters.ts';
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
      const operation = inWords(summary.replace(/^.*?: /, ''));
      return {
        ...at,
        message: `there is no \`${operation}\``,
        cure: 'convert one side: int(x), double(x) or string(x)',
      };
    }
    case 'no_matching_overload': {
      const call = inWords(/'(.+)'/.exec(summary)?.[1] ?? summary);
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
    case 'incompatible_ternary_branches': {
      const [one, other] = typesIn(summary);
      const message = `the two branches of \`? :\` are a ${one} and a ${other}`;
      return { ...at, message, cure: 'give both branches one type: int(x), double(x) or string(x)' };
    }
    case 'invalid_condition_type':
      return {
        ...at,
        message: `a condition is true or false, but this is a ${typesIn(summary)[0]}`,
        cure: comparisonCure,
      };
    case 'invalid_logical_operand':
      return {
        ...at,
        message: `\`&&\`, \`||\` and \`!\` take true or false, but this is a ${typesIn(summary)[0]}`,
        cure: comparisonCure,
      };
    case 'invalid_index_type':
      return {
        ...at,
        message: `the index of a list is a whole number (int), got ${typesIn(summary)[0]}`,
        cure: 'convert it: int(x)',
      };
    case 'cannot_index_type':
      return {
        ...at,
        message: `a ${typesIn(summary)[0]} has no members`,
        cure: 'only lists and maps have members',
      };
    case 'invalid_comprehension_range':
      return {
        ...at,
        message: 'this goes over a list or a map, got something else',
        cure: 'such as `[1, 2, 3].map(n, 2 * n)`',
      };
    case 'invalid_macro_argument':
      return {
        ...at,
        message: `not a valid call: ${lowerFirst(inWords(summary))}`,
        cure: 'such as `[1, 2, 3].map(n, 2 * n)`',
      };
    case 'index_out_of_bounds':
    case 'index_out_of_range':
      return {
        ...at,
        message: lowerFirst(summary.replace(/^No such key: /, '')),
        cure: 'the first index is 0',
      };
    case 'no_such_key':
      return { ...at, message: lowerFirst(summary), cure: undefined };
    case 'numeric_overflow':
      return {
        ...at,
        message: 'a whole number beyond ±9223372036854775807',
        cure: 'write one of its parts as a decimal, such as `2.0`',
      };
    case 'int_conversion_error':
    case 'uint_conversion_error':
    case 'double_conversion_error':
    case 'bool_conversion_error':
      return {
        ...at,
        message: `this text cannot be read as ${/^\w+/.exec(summary)?.[0] ?? 'that type'}`,
        cure: undefined,
      };
    case 'division_by_zero':
    case 'modulo_by_zero':
      return { ...at, message: 'division by zero', cure: undefined };
    case 'too_deep':
    case 'limit_exceeded':
      return {
        ...at,
        message: 'this expression is too long: it has too many parts within one another',
        cure: 'compute its parts in `params`, and use them here; a long sum is `[a, b, ...]` in a list',
      };
    case 'reserved_identifier':
      return {
        ...at,
        message: `\`${text.slice(start, end)}\` is a reserved word`,
        cure: 'use another name; a text needs quotes',
      };
    case 'unexpected_token':
    case 'expected_token': {
      const [wanted, got] = code === 'expected_token' ? tokensIn(summary) : [undefined, ...tokensIn(summary)];
      const message = got === 'the end' ? 'it ends too early' : `${got} is not expected here`;
      return {
        ...at,
        message: `not a valid expression: ${message}${wanted === undefined ? '' : `; ${wanted} is missing`}`,
        cure: syntaxCure(text),
      };
    }
    case 'unexpected_character': {
      const odd = findOddCharacter(text.slice(start, end));
      if (odd !== undefined)
        return { ...at, message: `not a valid expression: ${odd.name} stands in it`, cure: odd.cure };
      return { ...at, message: `not a valid expression: ${lowerFirst(summary)}`, cure: syntaxCure(text) };
    }
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
    case 'newline_in_string':
      return {
        ...at,
        message: 'not a valid expression: a text in quotes is not closed',
        cure: 'end it with the quote that it begins with',
      };
    default: {
      const { cure } = error as { cure?: string };
      return { ...at, message: inWords(lowerFirst(summary)), cure };
    }
  }
}

const comparisonCure = 'compare it with something, such as `x > 0` or `x == "small"`';

/** The types that CEL names in quotes, without what only its checker tells apart. */
function typesIn(summary: string): string[] {
  return Array.from(summary.matchAll(/'([^']+)'/g), (match) => inWords(match[1]!));
}

/** CEL's words for what is only known while evaluating. */
function inWords(text: string): string {
  return text.replace(/\bdyn<([^<>]+)>/g, '$1').replace(/\bdyn\b/g, 'any');
}

const tokens: Readonly<Record<string, string>> = {
  EOF: 'the end',
  NUMBER: 'a number',
  STRING: 'a text',
  BYTES: 'a text of bytes',
  BOOLEAN: 'a truth value',
  NULL: '`null`',
  IDENTIFIER: 'a name',
  LPAREN: '`(`',
  RPAREN: '`)`',
  LBRACKET: '`[`',
  RBRACKET: '`]`',
  LBRACE: '`{`',
  RBRACE: '`}`',
  COMMA: '`,`',
  COLON: '`:`',
  QUESTION: '`?`',
  DOT: '`.`',
};

/** What the parser met or missed; operators are told as such. */
function tokensIn(summary: string): string[] {
  return Array.from(summary.matchAll(/\b[A-Z]{2,}\b/g), ([name]) => tokens[name] ?? 'an operator');
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
