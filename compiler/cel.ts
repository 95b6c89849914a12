import { Environment } from '@marcbachmann/cel-js';
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

/**
 * CEL and what a study of numbers misses in it: arithmetic that mixes whole numbers and doubles, `min`, `max`, `abs`, `pow`, `sqrt`, `exp`,
 * `log`, `log10`, and `floor`, `ceil`, `round` to a whole number. Between two whole numbers `/` divides without remainder, as CEL has it.
 */
const base = createBase();

function createBase(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false });
  for (const [operator, compute] of Object.entries(mixedOperators)) {
    const handler = (a: bigint | number, b: bigint | number) => compute(Number(a), Number(b));
    environment.registerOperator(`int ${operator} double`, handler);
    environment.registerOperator(`double ${operator} int`, handler);
  }
  environment.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b);
  for (const name of ['min', 'max']) {
    const pick = (a: bigint | number, b: bigint | number) => (a < b === (name === 'min') ? a : b);
    const real = (a: bigint | number, b: bigint | number) => Number(pick(a, b));
    environment.registerFunction(`${name}(int, int): int`, pick);
    environment.registerFunction(`${name}(double, double): double`, real);
    environment.registerFunction(`${name}(int, double): double`, real);
    environment.registerFunction(`${name}(double, int): double`, real);
  }
  environment.registerFunction('abs(int): int', (a: bigint) => (a < 0n ? -a : a));
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
    environment.registerFunction(`${name}(double): int`, (x: number) => BigInt(compute(x)));
  }
  return environment;
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
].filter((name) => /^[a-z]\w*$/.test(name));

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
