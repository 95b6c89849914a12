import { quoteAll } from './did-you-mean.ts';
import { findOddCharacter } from './odd-characters.ts';

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
  if (keyword === 'type') return typePhrase(schema);
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

/** How to mend a value of the wrong type, where that can be guessed. */
export function valueCure(schema: Schema, data: unknown): string | undefined {
  const numeric = schema.type === 'integer' || schema.type === 'number';
  if (data === null) return 'fill in the value, or remove the key';
  const odd = typeof data === 'string' ? findOddCharacter(data) : undefined;
  if (odd !== undefined) return `${odd.name} stands in it: ${odd.cure}`;
  if (numeric && typeof data === 'string' && data.trim() !== '' && Number.isFinite(Number(data)))
    return 'remove the quotes';
  if (schema.type === 'integer' && typeof data === 'number' && !Number.isInteger(data))
    return `a whole number near it is ${Math.round(data)}; in an expression: round(x)`;
  if (typeof data === 'number' && isDuration(schema)) return `with its unit: \`${data}s\` or \`${data}m\``;
  if (schema.type === 'string' && (typeof data === 'number' || typeof data === 'boolean'))
    return accepts(schema, String(data)) ? `put it in quotes: "${data}"` : undefined;
  if (schema.type === 'boolean' && typeof data === 'string') {
    if (/^(yes|on)$/i.test(data)) return 'write `true`';
    if (/^(no|off)$/i.test(data)) return 'write `false`';
  }
  if (schema.type === 'array' && typeof data !== 'object') return `a list is written \`[${String(data)}]\``;
  if (typeof data === 'string' && typeof schema.maxLength === 'number' && data.length > schema.maxLength)
    return `this has ${data.length} characters`;
  return undefined;
}

/** Whether a text would pass what the schema says of texts. */
function accepts({ pattern, enum: values, maxLength }: Schema, text: string): boolean {
  return (
    (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text)) &&
    (!Array.isArray(values) || values.includes(text)) &&
    (typeof maxLength !== 'number' || text.length <= maxLength)
  );
}

function isDuration(schema: Schema): boolean {
  return accepts(schema, '90s') && !accepts(schema, 'x') && accepts(schema, '2d');
}
