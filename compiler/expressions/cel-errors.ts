import type { TypeError as CelTypeError, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { choose, didYouMean } from '../diagnostics/did-you-mean.ts';
import { findOddCharacter } from '../diagnostics/odd-characters.ts';
import { formsOf, functionNames } from './cel.ts';
import type { Scope } from './scope.ts';
import { TooMuchWork } from './work.ts';

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
      const [, left, operator = operation.charAt(0), right = operation.slice(1)] =
        /^(.+) (==|!=|<=|>=|<|>|in|[-+*/%]) (.+)$/.exec(operation) ?? [];
      const operands = [left, right].flatMap((type) => (type === undefined ? [] : [typeInWords(type)]));
      return {
        ...at,
        message: `\`${operator}\` cannot take ${operands.join(' and ')}`,
        cure: operatorCure(operator, operands),
      };
    }
    case 'no_matching_overload': {
      const [, receiver, name = '', parameters = ''] =
        /'(?:(.+)\.)?(\w+)\((.*)\)'/.exec(summary) ?? /()()()/.exec('')!;
      const method = receiver !== undefined;
      const forms = formsOf(name, method);
      const names = functionNames(method);
      const noun = method ? 'methods' : 'functions';
      if (forms.length === 0)
        return { ...at, message: `there is no function \`${name}\``, cure: choose(name, names, noun) };
      const given = [...(method ? [receiver] : []), ...splitTypes(parameters)].map(typeInWords);
      return {
        ...at,
        message: `\`${name}\` cannot take ${given.join(' and ') || 'nothing'}`,
        cure: `it is written ${forms.map((form) => `\`${form}\``).join(' or ')}`,
      };
    }
    case 'incompatible_ternary_branches':
      return {
        ...at,
        message: `the two branches of \`? :\` are ${typesIn(summary).join(' and ')}`,
        cure: 'give both branches one type: int(x), double(x) or string(x)',
      };
    case 'invalid_condition_type':
      return {
        ...at,
        message: `a condition is true or false, but this is ${typesIn(summary)[0]}`,
        cure: comparisonCure,
      };
    case 'invalid_logical_operand':
      return {
        ...at,
        message: `\`&&\`, \`||\` and \`!\` take true or false, but this is ${typesIn(summary)[0]}`,
        cure: comparisonCure,
      };
    case 'invalid_index_type':
      return {
        ...at,
        message: `the place of a value in a list is a whole number, got ${typesIn(summary)[0]}`,
        cure: 'such as `list[0]`; of a decimal, int(x) makes a whole number',
      };
    case 'cannot_index_type':
      return {
        ...at,
        message: `${typesIn(summary)[0]} has no members`,
        cure: 'only lists and maps have members',
      };
    case 'invalid_comprehension_range':
      return {
        ...at,
        message: 'this goes over a list or a map, got something else',
        cure: 'such as `[1, 2, 3].map(n, 2 * n)`',
      };
    case 'invalid_macro_argument':
      return /^has/.test(summary)
        ? { ...at, message: '`has` takes a member of a map', cure: 'such as `has(params.options.size)`' }
        : { ...at, message: 'a name is missing here', cure: 'such as `[1, 2, 3].map(n, 2 * n)`' };
    case 'index_out_of_bounds': {
      const [, place, size] = /, index (\S+)(?: >= size (\d+))?/.exec(summary) ?? [];
      const message = `there is no value at ${place} of ${size === undefined ? 'a list' : `a list of ${size}`}`;
      return { ...at, message, cure: 'the first value is at 0' };
    }
    case 'index_out_of_range':
      return { ...at, message: 'this place is not in the text', cure: 'the first character is at 0' };
    case 'no_such_key':
      return /\[object /.test(summary)
        ? { ...at, message: 'a key of a map is a text or a number', cure: undefined }
        : { ...at, message: `there is no key \`${/: (.*)$/s.exec(summary)?.[1]}\``, cure: undefined };
    case 'not_finite':
      return {
        ...at,
        message: `no whole number is near ${summary === 'NaN' ? 'what is not a number' : 'infinity'}`,
        cure: 'such as a division by zero: check its parts',
      };
    case 'unsigned':
      return {
        ...at,
        message: 'there are no whole numbers without a sign',
        cure: 'write `1` for `1u`, and int(x) for uint(x)',
      };
    case 'invalid_regular_expression':
      return {
        ...at,
        message: `not a regular expression: ${summary}`,
        cure: 'patterns are those of RE2, such as "^layer[0-9]+$"',
      };
    case 'invalid_list_element_type':
      return {
        ...at,
        message: '`join` takes a list of texts, but this has other values',
        cure: 'make texts of them: `list.map(x, string(x)).join(", ")`',
      };
    case 'invalid_timestamp':
      return { ...at, message: 'this is not a time', cure: 'such as "2024-01-31T12:00:00Z"' };
    case 'invalid_duration':
      return { ...at, message: 'this is not a duration', cure: 'such as "1h30m"' };
    case 'numeric_overflow':
      return {
        ...at,
        message: 'a whole number beyond ±9223372036854775807',
        cure: 'write one of its parts as a decimal, such as `2.0`',
      };
    case 'int_conversion_error':
      return { ...at, message: 'this text is not a whole number', cure: 'such as "12"' };
    case 'double_conversion_error':
      return { ...at, message: 'this text is not a number', cure: 'such as "1.5"' };
    case 'bool_conversion_error':
      return { ...at, message: 'this text is not a truth value', cure: 'such as "true"' };
    case 'invalid_number':
      return { ...at, message: 'this number is too large', cure: 'decimals end at 1.8e308' };
    case 'invalid_integer':
    case 'invalid_hex_integer':
    case 'invalid_exponent':
      return { ...at, message: 'not a number', cure: 'such as `12`, `0.5`, `1e-3` or `0xff`' };
    case 'division_by_zero':
    case 'modulo_by_zero':
      return { ...at, message: 'division by zero', cure: undefined };
    case 'too_deep':
    case 'limit_exceeded':
      return {
        ...at,
        message: `this expression is too long: it has too many parts${/Nodes/.test(summary) ? '' : ' within one another'}`,
        cure: 'compute its parts in `params`, and use them here',
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
      const message = `not a valid expression: \`${text.slice(start, end)}\` is not expected here`;
      return { ...at, message, cure: syntaxCure(text) };
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
      // Of an escape in a text CEL tells what is wrong; of anything else that it refuses there is no more to say.
      if (/escape/.test(code ?? ''))
        return { ...at, message: lowerFirst(summary), cure: 'a backslash in a text is `\\\\`' };
      const { cure } = error as { cure?: string };
      return { ...at, message: error instanceof TooMuchWork ? summary : 'this cannot be computed', cure };
    }
  }
}

const comparisonCure = 'compare it with something, such as `x > 0` or `x == "small"`';

function operatorCure(operator: string, operands: readonly string[]): string | undefined {
  if (operator === '!') return comparisonCure;
  if (operator === 'in')
    return 'it looks for a value in a list, such as `x in [1, 2]`; for a part of a text: `text.contains("part")`';
  if (operator === '+' && operands.includes('a text'))
    return 'to write one behind the other, make both texts: string(x)';
  if (operator === '+' && operands.some((operand) => operand.startsWith('a list')))
    return 'to lengthen a list, add a list: `list + [x]`';
  if (operands.includes('a truth value')) return 'to choose a number by it, write `x ? 1 : 0`';
  if (operands.includes('a text'))
    return 'of a text, int(x) and double(x) make a number; string(x) makes a text';
  return undefined;
}

const words: Readonly<Record<string, readonly [one: string, many: string]>> = {
  int: ['a whole number', 'whole numbers'],
  double: ['a decimal', 'decimals'],
  string: ['a text', 'texts'],
  bool: ['a truth value', 'truth values'],
  null: ['nothing', 'values'],
  list: ['a list', 'lists'],
  map: ['a map', 'maps'],
  bytes: ['bytes', 'bytes'],
  dyn: ['a value', 'values'],
  'google.protobuf.Timestamp': ['a time', 'times'],
  'google.protobuf.Duration': ['a duration', 'durations'],
};

/** A type of CEL in the words of the language, such as "a list of whole numbers". */
export function typeInWords(type: string): string {
  const [, name = '', item = ''] = /^(?:dyn<)*([\w.]+)(?:<(.*)>)?/.exec(type) ?? [];
  const [one] = words[name] ?? ['a type'];
  const [, many = 'values'] = words[/^[\w.]*/.exec(item)![0]] ?? [];
  return name === 'list' && many !== 'values' ? `a list of ${many}` : one;
}

/** The types that CEL names in quotes. */
function typesIn(summary: string): string[] {
  return Array.from(summary.matchAll(/'([^']+)'/g), (match) => typeInWords(match[1]!));
}

/** Types separated by commas, of which some stand within a type. */
function splitTypes(types: string): string[] {
  const found = [''];
  let depth = 0;
  for (const char of types) {
    depth += char === '<' ? 1 : char === '>' ? -1 : 0;
    if (char === ',' && depth === 0) found.push('');
    else found[found.length - 1] += char;
  }
  return found.map((type) => type.trim()).filter((type) => type !== '');
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
  if (params.has(name)) return `did you mean \`params.${name}\`?`;
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
