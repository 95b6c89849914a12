import { quoteAll } from '../diagnostics/did-you-mean.ts';
import { findOddCharacter } from '../diagnostics/odd-characters.ts';
import { accepts } from './schemas.ts';

export type Schema = { readonly [keyword: string]: unknown };

const typePhrases: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

/** "a whole number of at least 1": what a schema takes, in words. */
export function phrase(schema: Schema): string {
  if (schema.artifact !== undefined)
    return `\`\${{ stages.<stage>.<output> }}\` of kind ${[schema.artifact].flat().join(' or ')}`;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (Array.isArray(schema.enum)) return `one of ${quoteAll(schema.enum.map(String))}`;
  return typeof schema.expects === 'string' ? schema.expects : typePhrase(schema);
}

/** What a schema takes as far as one of its keywords, which a value broke, says so. */
export function phraseOf(keyword: string, schema: Schema): string {
  if (keyword === 'type' && schema.pattern === undefined) return typePhrase(schema);
  if (keyword === 'maxLength') return `at most ${schema.maxLength} characters`;
  if (typeof schema.expects === 'string') return schema.expects;
  switch (keyword) {
    case 'minItems':
      return `at least ${schema.minItems} values`;
    case 'maxItems':
      return `at most ${schema.maxItems} values`;
    case 'uniqueItems':
      return 'no value twice';
    case 'minLength':
      return 'a text that is not empty';
    default:
      return phrase(schema);
  }
}

function typePhrase(schema: Schema): string {
  const type = typePhrases[String(schema.type)] ?? 'a map';
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${type} from ${minimum} to ${maximum}`;
  const bounds = [
    minimum === undefined ? '' : `of at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`,
    maximum === undefined ? '' : `of at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return bounds.length === 0 ? type : `${type} ${bounds.join(' and ')}`;
}

/** How to mend a wrong value, where that can be guessed; only what the schema then takes. */
export function valueCure(schema: Schema, data: unknown): string | undefined {
  if (data === null) return 'fill in the value, or remove it if it can be left out';
  const odd = typeof data === 'string' ? findOddCharacter(data) : undefined;
  if (odd !== undefined) return `${odd.name} stands in it: ${odd.cure}`;
  if (typeof data === 'string' && typeof schema.maxLength === 'number' && data.length > schema.maxLength)
    return `this has ${data.length} characters`;
  return guesses(schema, data).find(({ value }) => accepts(schema, value))?.cure;
}

/** A number as it is written elsewhere: with a comma, or with a unit. */
function numberIn(text: string): { readonly value: number; readonly cure: string } | undefined {
  const [, whole, fraction] = /^\s*([+-]?\d+),(\d+)\s*$/.exec(text) ?? [];
  const point = `${whole}.${fraction}`;
  if (whole !== undefined) return { value: Number(point), cure: `write \`${point}\`, with a point` };
  const [, number] = /^\s*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*[a-z%]+\s*$/i.exec(text) ?? [];
  return number === undefined
    ? undefined
    : { value: Number(number), cure: `write \`${number}\` alone, without a unit` };
}

function guesses({ type }: Schema, data: unknown): { readonly value: unknown; readonly cure: string }[] {
  const guess = (value: unknown, cure: string) => ({ value, cure });
  if ((type === 'integer' || type === 'number') && typeof data === 'string' && data.trim() !== '')
    return [guess(Number(data), 'remove the quotes'), ...[numberIn(data) ?? []].flat()];
  if (type === 'object' && Array.isArray(data)) return [guess({}, 'keys of a map have no dash before them')];
  const [, key, rest] = (typeof data === 'string' && /^([A-Za-z]\w*)(?: *= *| +)(\S.*)$/s.exec(data)) || [];
  if (type === 'object' && key !== undefined)
    return [guess({}, `if this is a key and its value, a colon is missing: \`${key}: ${rest}\``)];
  if (type === 'integer' && typeof data === 'number') {
    const near = Math.round(data);
    return [guess(near, `a whole number near it is ${near}; in an expression: round(x)`)];
  }
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean'))
    return [
      guess(`${data}`, `put it in quotes: "${data}"`),
      guess(`${data}s`, `with its unit: \`${data}s\` or \`${data}m\``),
    ];
  if (type === 'string' && typeof data === 'string') {
    const words = data.toLowerCase().match(/[a-z0-9]+/g) ?? [];
    const duration = words.join(' ').replace(/^(\d+) ?([smhd]).*$/, '$1$2');
    return [words.join('-'), duration].map((value) => guess(value, `write \`${value}\``));
  }
  if (type === 'boolean' && typeof data === 'string') {
    if (/^(yes|on|true)$/i.test(data)) return [guess(true, 'write `true`')];
    if (/^(no|off|false)$/i.test(data)) return [guess(false, 'write `false`')];
  }
  if (type === 'array' && typeof data !== 'object')
    return [guess([data], `a list is written \`[${String(data)}]\``)];
  return [];
}
