import { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { isMap, type Value } from './values.ts';

type Number2 = (a: number, b: number) => number;

const mixedOperators: Readonly<Record<string, Number2>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

const realFunctions: Readonly<Record<string, (x: number) => number>> = {
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  log10: Math.log10,
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
};

/** The function that stands for CEL's `matches` once an expression is parsed; no name that one can write. */
export const linearMatches = 'matches_in_linear_time';

/**
 * CEL and what a study of numbers misses in it: arithmetic that mixes whole numbers and doubles, `min`, `max`, `abs`, `pow`, `sqrt`, `exp`,
 * `log`, `log10`, and `floor`, `ceil`, `round` to a whole number. Between two whole numbers `/` divides without remainder, as CEL has it.
 */
const base = createBase();

function createBase(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  for (const [operator, compute] of Object.entries(mixedOperators)) {
    const handler = (a: bigint | number, b: bigint | number) => compute(Number(a), Number(b));
    // Without a result type the one on the left would be taken for it.
    environment.registerOperator(`int ${operator} double: double`, handler);
    environment.registerOperator(`double ${operator} int: double`, handler);
  }
  environment.registerOperator('int == double', equal);
  environment.registerOperator('int in list<double>', (a: bigint, list: number[]) =>
    list.some((b) => equal(a, b)),
  );
  environment.registerOperator('double in list<int>', (a: number, list: bigint[]) =>
    list.some((b) => equal(b, a)),
  );
  for (const name of ['min', 'max']) {
    const pick = (a: bigint | number, b: bigint | number) => (a < b === (name === 'min') ? a : b);
    const real = (a: bigint | number, b: bigint | number) => Number(pick(a, b));
    environment.registerFunction(`${name}(int, int): int`, pick);
    environment.registerFunction(`${name}(double, double): double`, real);
    environment.registerFunction(`${name}(int, double): double`, real);
    environment.registerFunction(`${name}(double, int): double`, real);
  }
  environment.registerFunction('abs(int): int', (a: bigint) => whole(a < 0n ? -a : a));
  environment.registerFunction('abs(double): double', Math.abs);
  for (const a of ['int', 'double'])
    for (const b of ['int', 'double'])
      environment.registerFunction(
        `pow(${a}, ${b}): double`,
        (x: bigint | number, y: bigint | number) => Number(x) ** Number(y),
      );
  for (const [name, compute] of Object.entries(realFunctions))
    for (const type of ['int', 'double'])
      environment.registerFunction(`${name}(${type}): double`, (x: bigint | number) => compute(Number(x)));
  for (const [name, compute] of Object.entries(roundings)) {
    environment.registerFunction(`${name}(int): int`, (x: bigint) => x);
    environment.registerFunction(`${name}(double): int`, (x: number) => toWhole(compute(x), name, x));
  }
  environment.registerFunction(`string.${linearMatches}(string): bool`, matches);
  return environment;
}

/** Exactly, as `<` compares them: 2^53 + 1 equals no decimal. */
function equal(whole: bigint, decimal: number): boolean {
  return Number.isInteger(decimal) && BigInt(decimal) === whole;
}

const largest = 2n ** 63n - 1n;

function whole(value: bigint): bigint {
  if (value > largest || value < -largest - 1n)
    throw new RangeError(`${value} is too large for a whole number`);
  return value;
}

function toWhole(value: number, name: string, x: number): bigint {
  if (!Number.isFinite(value)) throw new RangeError(`${name}(${x}) is no whole number`);
  return whole(BigInt(value));
}

function matches(text: string, pattern: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(text).find();
  } catch (error) {
    throw new SyntaxError(`not a regular expression: ${(error as Error).message}`);
  }
}

/** An environment in which `params` has these members, by CEL type, and `stages`, `cells` and `collect` are artifacts. */
export function environmentOf(paramTypes: Readonly<Record<string, string>>): Environment {
  return base
    .clone()
    .registerVariable({ name: 'params', schema: { ...paramTypes } })
    .registerVariable('stages', 'dyn')
    .registerVariable('cells', 'dyn')
    .registerVariable('collect', 'dyn');
}

/** The names of the functions above, for "did you mean". */
export const functionNames: readonly string[] = [
  ...new Set(
    base.getDefinitions().functions.flatMap(({ name, receiverType }) => (receiverType ? [] : [name])),
  ),
].filter((name) => /^[a-z]\w*$/.test(name) && name !== linearMatches && name !== 'dyn');

/** The CEL type of a value that stands in the file. */
export function typeOfValue(value: Value): string {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return `list<${unionType(value.map(typeOfValue))}>`;
  return isMap(value) ? 'map<string, dyn>' : 'dyn';
}

/** One type for values of several types: theirs if it is the same, else `dyn`, which is checked while evaluating. */
export function unionType(types: readonly string[]): string {
  const [first] = types;
  return first !== undefined && types.every((type) => type === first) ? first : 'dyn';
}
