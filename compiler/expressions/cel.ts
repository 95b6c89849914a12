import { Environment } from '@marcbachmann/cel-js';
import { arithmeticOperators, calculate, type Numeric, toWhole, whole } from './numbers.ts';

const realFunctions: Readonly<Record<string, (x: number) => number>> = {
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  log10: Math.log10,
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round: (x) => Math.sign(x) * Math.round(Math.abs(x)),
};

/**
 * CEL and what a study of numbers misses in it: arithmetic that mixes whole numbers and decimals, `min`, `max`, `abs`, `pow`, `sqrt`, `exp`,
 * `log`, `log10`, and `floor`, `ceil`, `round` (halves away from zero) to a whole number. What `params` has in it is up to the checker, which
 * knows the types; what the operators on numbers do is in `cel-program.ts`.
 */
export const language = createLanguage();

function createLanguage(): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    // What bounds an expression is the number of its parts.
    limits: { maxListElements: 100_000, maxMapEntries: 100_000, maxCallArguments: 100_000 },
  });
  for (const root of ['params', 'stages', 'cells', 'collect']) environment.registerVariable(root, 'dyn');
  for (const operator of arithmeticOperators)
    for (const types of ['int _ double', 'double _ int', ...(operator === '%' ? ['double _ double'] : [])])
      environment.registerOperator(
        // Without a result type the one on the left would be taken for it.
        `${types.replace('_', operator)}: double`,
        (a: Numeric, b: Numeric) => calculate(operator, a, b),
      );
  for (const [name, real] of Object.entries({ min: Math.min, max: Math.max })) {
    const pick = (a: bigint, b: bigint) => (a < b === (name === 'min') ? a : b);
    environment.registerFunction(`${name}(int, int): int`, pick);
    for (const types of ['double, double', 'int, double', 'double, int'])
      environment.registerFunction(`${name}(${types}): double`, (a: Numeric, b: Numeric) =>
        real(Number(a), Number(b)),
      );
  }
  environment.registerFunction('abs(int): int', (a: bigint) => whole(a < 0n ? -a : a));
  environment.registerFunction('abs(double): double', Math.abs);
  for (const a of ['int', 'double'])
    for (const b of ['int', 'double'])
      environment.registerFunction(
        `pow(${a}, ${b}): double`,
        (x: Numeric, y: Numeric) => Number(x) ** Number(y),
      );
  for (const [name, compute] of Object.entries(realFunctions))
    for (const type of ['int', 'double'])
      environment.registerFunction(`${name}(${type}): double`, (x: Numeric) => compute(Number(x)));
  for (const [name, compute] of Object.entries(roundings)) {
    environment.registerFunction(`${name}(int): int`, (x: bigint) => x);
    environment.registerFunction(`${name}(double): int`, (x: number) => toWhole(compute(x)));
  }
  environment.registerFunction('string(list): string', toText);
  environment.registerFunction('string(map): string', toText);
  return environment;
}

/** A value inside a text; lists and maps as JSON. */
export function toText(value: unknown): string {
  return typeof value === 'object'
    ? JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? Number(member) : member))
    : String(value);
}

/** Functions that a pipeline has no use for: its values have no such type. */
const unused = ['bytes', 'duration', 'dyn', 'timestamp', 'type', 'uint'];

const nouns: Readonly<Record<string, string>> = {
  int: 'number',
  double: 'number',
  string: 'text',
  bool: 'truth value',
  texts: 'texts',
  list: 'list',
  map: 'map',
  ast: '...',
};

const plainType = (type: string) => (type === 'list<string>' ? 'texts' : type.replace(/<.*/, ''));

/** A function or, with a receiver, a method: `size(text)`, `text.size()`. */
interface Form {
  readonly name: string;
  readonly receiver: string | null;
  readonly parameters: readonly string[];
}

const forms: readonly Form[] = language
  .getDefinitions()
  .functions.map(({ name, receiverType, params }) => ({
    name,
    receiver: receiverType,
    parameters: params.map(({ type }) => type),
  }))
  .filter(
    ({ name, receiver, parameters }) =>
      !unused.includes(name) &&
      /^(string|list|map|$)/.test(receiver ?? '') &&
      parameters.every((type) => Object.hasOwn(nouns, plainType(type))),
  );

/** The names of the functions, or of the methods, for "did you mean". */
export function functionNames(methods: boolean): string[] {
  return [
    ...new Set(forms.flatMap(({ name, receiver }) => ((receiver !== null) === methods ? [name] : []))),
  ].filter((name) => /^[a-z]\w*$/.test(name));
}

/** How a function, or a method, can be called: `min(number, number)`. */
export function formsOf(called: string, method: boolean): string[] {
  const noun = (type: string) => nouns[plainType(type)];
  const written = forms
    .filter(({ name, receiver }) => name === called && (receiver !== null) === method)
    .map(({ receiver, parameters }) => {
      const call = `${called}(${parameters.map(noun).join(', ')})`;
      return receiver === null ? call : `${noun(receiver)}.${call}`;
    });
  return [...new Set(written)];
}
