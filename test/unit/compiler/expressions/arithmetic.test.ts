import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression, EvaluationFailure } from '../../../../compiler/expressions/expression.ts';
import type { Scope } from '../../../../compiler/expressions/scope.ts';
import { WorkBudget } from '../../../../compiler/expressions/work.ts';
import { edit, errorsOf, planOf, tiny, warningsOf, withOf } from '../pipelines.ts';

const params = { whole: 7n, other: -3n, decimal: 0.15, half: 2.5 };
const scope: Scope = {
  types: { whole: 'int', other: 'int', decimal: 'double', half: 'double' },
  budget: new WorkBudget(),
  params: new Set(Object.keys(params)),
  roots: {},
  absent: () => undefined,
};

type Type = 'int' | 'double' | 'bool';
/** An expression with the value that exact arithmetic gives it: whole numbers as bigint; undefined if it has none. */
interface Typed {
  readonly text: string;
  readonly type: Type;
  readonly value: bigint | number | boolean | undefined;
}

const largest = 2n ** 63n - 1n;
const fits = (value: bigint) => (value > largest || value < -largest - 1n ? undefined : value);
const typed = (text: string, type: Type, value: Typed['value']): Typed => ({ text, type, value });
const isWhole = ({ type }: Typed) => type === 'int';

/** What `a op b` is: whole numbers exactly, and doubles as soon as one side is a decimal. */
function arithmetic(a: Typed, op: string, b: Typed): Typed {
  const text = `(${a.text} ${op} ${b.text})`;
  if (a.value === undefined || b.value === undefined)
    return typed(text, isWhole(a) && isWhole(b) ? 'int' : 'double', undefined);
  if (isWhole(a) && isWhole(b)) {
    const [x, y] = [a.value as bigint, b.value as bigint];
    const results: Record<string, () => bigint | undefined> = {
      '+': () => fits(x + y),
      '-': () => fits(x - y),
      '*': () => fits(x * y),
      '/': () => (y === 0n ? undefined : x / y),
      '%': () => (y === 0n ? undefined : x % y),
    };
    return typed(text, 'int', results[op]!());
  }
  const [x, y] = [Number(a.value), Number(b.value)];
  const results: Record<string, number> = { '+': x + y, '-': x - y, '*': x * y, '/': x / y, '%': x % y };
  return typed(text, 'double', results[op]);
}

function comparison(a: Typed, op: string, b: Typed): Typed {
  const text = `(${a.text} ${op} ${b.text})`;
  const [x, y] = [a.value, b.value] as [bigint | number, bigint | number];
  if (x === undefined || y === undefined) return typed(text, 'bool', undefined);
  const results: Record<string, boolean> = {
    '==': equal(x, y),
    '!=': !equal(x, y),
    '<': x < y,
    '<=': x <= y,
    '>': x > y,
    '>=': x >= y,
  };
  return typed(text, 'bool', results[op]);
}

function equal(x: bigint | number, y: bigint | number): boolean {
  if (typeof x === typeof y) return x === y;
  const [whole, decimal] = typeof x === 'bigint' ? [x, y as number] : [y as bigint, x];
  return Number.isInteger(decimal) && BigInt(decimal) === whole;
}

function call(name: string, x: Typed): Typed {
  const text = `${name}(${x.text})`;
  const whole = name === 'floor' || name === 'ceil' || name === 'round' || name === 'int';
  const type = whole ? 'int' : name === 'abs' ? x.type : 'double';
  if (x.value === undefined) return typed(text, type, undefined);
  if (name === 'double') return typed(text, type, Number(x.value));
  if (isWhole(x)) {
    const value = x.value as bigint;
    if (name === 'sqrt') return typed(text, type, Math.sqrt(Number(value)));
    return typed(text, type, name === 'abs' && value < 0n ? fits(-value) : value);
  }
  const value = x.value as number;
  if (name === 'abs') return typed(text, type, Math.abs(value));
  if (name === 'sqrt') return typed(text, type, Math.sqrt(value));
  const rounding: Record<string, (v: number) => number> = {
    floor: Math.floor,
    ceil: Math.ceil,
    // Exact: a sum with 0.5 would be rounded itself.
    round: (v) => Math.trunc(v) + (Math.abs(v % 1) >= 0.5 ? Math.sign(v) : 0),
    int: Math.trunc,
  };
  const rounded = rounding[name]!(value);
  return typed(text, type, Number.isFinite(rounded) ? fits(BigInt(rounded)) : undefined);
}

function pick(name: 'min' | 'max', a: Typed, b: Typed): Typed {
  const text = `${name}(${a.text}, ${b.text})`;
  const type = isWhole(a) && isWhole(b) ? 'int' : 'double';
  if (a.value === undefined || b.value === undefined) return typed(text, type, undefined);
  if (type === 'double') return typed(text, type, Math[name](Number(a.value), Number(b.value)));
  return typed(text, type, a.value < b.value === (name === 'min') ? a.value : b.value);
}

function minus(x: Typed): Typed {
  const text = `-(${x.text})`;
  if (x.value === undefined) return typed(text, x.type, undefined);
  return typed(text, x.type, isWhole(x) ? fits(-(x.value as bigint)) : -(x.value as number));
}

/** One of two numbers, which is a decimal if either is. */
function choice(
  write: (a: string, b: string) => string,
  first: boolean,
  a: Typed,
  b: Typed,
  both: boolean,
): Typed {
  const type = isWhole(a) && isWhole(b) ? 'int' : 'double';
  const chosen = first ? a : b;
  const lost = chosen.value === undefined || (both && (a.value === undefined || b.value === undefined));
  const value = lost ? undefined : type === 'double' ? Number(chosen.value) : chosen.value;
  return typed(write(a.text, b.text), type, value);
}

const leaf: fc.Arbitrary<Typed> = fc.oneof(
  fc.bigInt({ min: -50n, max: 50n }).map((n) => typed(n < 0n ? `(${n})` : `${n}`, 'int', n)),
  fc.constantFrom(2n ** 53n + 1n, 2n ** 62n).map((n) => typed(`${n}`, 'int', n)),
  fc
    .double({ min: -20, max: 20, noNaN: true })
    .map((x) => Number(x.toFixed(3)) + 0)
    .map((x) => typed(`(${Number.isInteger(x) ? x.toFixed(1) : x})`, 'double', x)),
  fc
    .constantFrom('whole', 'other', 'decimal', 'half')
    .map((name) =>
      typed(
        `params.${name}`,
        typeof params[name as 'whole'] === 'bigint' ? 'int' : 'double',
        params[name as 'whole'],
      ),
    ),
);

/** Numbers made of these; `choices` are those whose type CEL joins of the types of what there is to choose from. */
function numbersOf(smallest: fc.Arbitrary<Typed>, choices: boolean): fc.Arbitrary<Typed> {
  return fc.letrec<{ number: Typed }>((tie) => {
    const two = fc.tuple(tie('number'), tie('number'));
    const chosen = fc.tuple(tie('number'), tie('number'), fc.boolean());
    return {
      number: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        smallest,
        fc
          .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/', '%'), tie('number'))
          .map(([a, op, b]) => arithmetic(a, op, b)),
        fc
          .tuple(fc.constantFrom('floor', 'ceil', 'round', 'int', 'double', 'abs', 'sqrt'), tie('number'))
          .map(([name, x]) => call(name, x)),
        fc
          .tuple(fc.constantFrom('min' as const, 'max' as const), two)
          .map(([name, [a, b]]) => pick(name, a, b)),
        tie('number').map(minus),
        ...(choices
          ? [
              chosen.map(([a, b, first]) => choice((x, y) => `(${first} ? ${x} : ${y})`, first, a, b, false)),
              chosen.map(([a, b, first]) =>
                choice((x, y) => `[${x}, ${y}][${first ? 0 : 1}]`, first, a, b, true),
              ),
              chosen.map(([a, b, first]) =>
                choice((x, y) => `([${x}] + [${y}])[${first ? 0 : 1}]`, first, a, b, true),
              ),
              chosen.map(([a, b, first]) =>
                choice((x, y) => `[1, 2].map(i, i == 1 ? ${x} : ${y})[${first ? 0 : 1}]`, first, a, b, true),
              ),
            ]
          : []),
      ),
    };
  }).number;
}

const number = numbersOf(leaf, true);
/** Numbers of which CEL does not know the type before it has their values. */
const unknown = numbersOf(
  leaf.map((x) => ({ ...x, text: `dyn(${x.text})` })),
  false,
);

const conditionOn = (numbers: fc.Arbitrary<Typed>) =>
  fc.oneof(
    fc
      .tuple(numbers, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), numbers)
      .map(([a, op, b]) => comparison(a, op, b)),
    fc.tuple(numbers, numbers, fc.constantFrom('==', '!=')).map(([a, b, op]) => {
      const { value } = comparison(a, op, b);
      return typed(`[[${a.text}]] ${op} [[${b.text}]]`, 'bool', value);
    }),
    fc.tuple(numbers, fc.array(numbers, { minLength: 1, maxLength: 3 })).map(([a, list]) => {
      const text = `${a.text} in [${list.map((item) => item.text).join(', ')}]`;
      // A list with a decimal in it is one of decimals.
      const decimals = !list.every(isWhole);
      const items = list.map((item) =>
        decimals ? { ...item, value: item.value === undefined ? undefined : Number(item.value) } : item,
      );
      const lost = [a, ...items].some(({ value }) => value === undefined);
      return typed(text, 'bool', lost ? undefined : items.some((item) => comparison(a, '==', item).value));
    }),
  );

function typeOf(value: unknown): string {
  return { bigint: 'int', number: 'double', boolean: 'bool' }[typeof value as 'bigint'] ?? typeof value;
}

const isLost = (value: Typed['value']) =>
  value === undefined || (typeof value === 'number' && !Number.isFinite(value));

function check({ text, type, value }: Typed, checkedTypes: readonly string[] = [type]): void {
  const problems: string[] = [];
  const expression = compileExpression(text, scope, undefined, 'here', (_start, _end, message) =>
    problems.push(message),
  );
  expect(problems, text).toEqual([]);
  expect(checkedTypes, text).toContain(expression!.type);
  if (isLost(value)) {
    expect(() => expression!.evaluate({ params }), text).toThrow(EvaluationFailure);
    return;
  }
  const got = expression!.evaluate({ params });
  expect(typeOf(got), text).toBe(type);
  expect(got, text).toBe(value);
}

it('the checked type of a number is its type at run time, and the value that of exact arithmetic', () => {
  fc.assert(
    fc.property(number, (x) => check(x)),
    { numRuns: 3000 },
  );
});

it('so are they where the types are only known at run time', () => {
  fc.assert(
    fc.property(unknown, (x) => check(x, [x.type, 'dyn'])),
    { numRuns: 1000 },
  );
});

it('numbers of either sort compare by their exact values', () => {
  fc.assert(
    fc.property(conditionOn(number), (x) => check(x)),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(conditionOn(unknown), (x) => check(x)),
    { numRuns: 500 },
  );
});

describe('a whole number whose place has decimals too is one, so that `/` means the same everywhere', () => {
  const quarter = edit(tiny, '${{ params.rate }}', '${{ params.rate / 4 }}');
  const matrix = (axes: string, text = quarter) =>
    edit(text, 'stages:\n', `strategy: { matrix: ${axes} }\nstages:\n`);
  const rates = (text: string, overrides: Record<string, string> = {}) =>
    planOf(text, overrides).cells.map(
      ({ stages }) => (stages[1]!.with.optimizer as { learningRate: number }).learningRate,
    );
  it.each<[string, string, number[], Record<string, string>?]>([
    ['an axis', matrix('{ rate: [1, 0.25, 3] }'), [0.25, 0.0625, 0.75]],
    ['an axis with a computed value', matrix('{ rate: ["${{ 2 * 1 }}", 0.25] }'), [0.5, 0.0625]],
    ['an axis of a param that is a decimal', matrix('{ rate: [1, 3] }'), [0.25, 0.75]],
    ['a range with a decimal step', matrix('{ rate: { range: [1, 2, 0.5] } }'), [0.25, 0.375, 0.5]],
    ['an entry of include', matrix('{ rate: [0.5], include: [{ rate: 3 }] }'), [0.125, 0.75]],
    ['--set', quarter, [0.25], { rate: '1' }],
    ['--set of an axis', matrix('{ rate: [0.5, 1] }'), [0.75], { rate: '3' }],
    [
      'a default whose axis has decimals',
      matrix(
        '{ include: [{ batchSize: 50 }, { rate: 0.5, batchSize: 50 }] }',
        edit(quarter, 'rate: 0.1', 'rate: 1'),
      ),
      [0.25, 0.125],
    ],
    [
      'a list',
      edit(edit(quarter, 'rate: 0.1', 'rates: [1, 0.5]'), 'params.rate /', 'params.rates[0] /'),
      [0.25],
    ],
    [
      'a list in a map',
      edit(edit(quarter, 'rate: 0.1', 'rates: { all: [1, 0.5] }'), 'params.rate /', 'params.rates.all[0] /'),
      [0.25],
    ],
  ])('%s', (_name, text, expected, overrides = {}) => {
    expect(rates(text, overrides)).toEqual(expected);
  });
});

it.each([
  ['floor(params.batchSize * 0.15)', 7],
  ['round(params.batchSize * 0.15)', 8],
  ['ceil(params.batchSize * 0.15)', 8],
  ['int(params.batchSize * 0.15)', 7],
])('%s is rounded to %d', (expression, expected) => {
  expect(withOf(edit(tiny, 'epochs: 3', `epochs: \${{ ${expression} }}`))).toMatchObject({
    epochs: expected,
  });
});

it.each<[string, unknown]>([
  ['params.batchSize * 0.5 + 1', 26],
  ['1 + params.batchSize * 0.5', 26],
  ['params.rate * params.batchSize - params.batchSize', -45],
  ['1 in [1.0, 2.5]', true],
  ['2.0 in [1, 2]', true],
  ['params.batchSize in [0.5, 50.0]', true],
  ['50.0 == params.batchSize', true],
  ['50.5 != params.batchSize', true],
  ['9007199254740993 == 9007199254740992.0', false],
  ['[1, 2.5].map(x, x / 2)', [0.5, 1.25]],
  ['[1] + [0.5]', [1, 0.5]],
  ['[{"a": 1}] == [{"a": 1.0}]', true],
  ['{"a": [1, 2]}.a == [1.0, 2.0]', true],
  ['1.0 in [1, "a"]', true],
  ['[1, "a"][0] == 1.0', true],
  ['abs(dyn(-0.5)) + 1', 1.5],
  ['(true ? 1 : 0.5) / 2', 0.5],
  ['(true ? [1] : [0.5])[0] / 2', 0.5],
  ['5.5 % 2', 1.5],
  ['[round(2.5), round(-2.5), round(-0.4), round(0.49999999999999994)]', [3, -3, 0, 0]],
  ['min(0.0 / 0.0, 1) < 2 || max(1, 0.0 / 0.0) < 2', false],
  ['pow(2, 3) / 16', 0.5],
  ['int("7") / 2 + double("0.5")', 3.5],
  ['string([1, 0.5]) + string({"a": 2})', '[1,0.5]{"a":2}'],
  ['[1, 2].map(x, x * 0.5)[0] + 1', 1.5],
  ['params.batchSize > 1 ? params.batchSize * 0.5 + 1 : 3', 26],
])('%s', (expression, expected) => {
  const text = edit(tiny, 'size: small', `size: '\${{ ${expression} }}'`);
  expect(planOf(text).params.size).toEqual(expected);
});

it.each([
  ['-(-9223372036854775807 - 1) > 0', 'beyond'],
  ['(-9223372036854775807 - 1) / -1 > 0', 'beyond'],
  ['abs(-9223372036854775807 - 1) > 0', 'beyond'],
  ['int(1e300) > 0', 'beyond'],
  ['ceil(9.3e18) > 0', 'beyond'],
  ['9223372036854775808 > 0', 'beyond'],
  ['1.0 / 0', 'not a finite number'],
  ['[log(0)]', 'not a finite number'],
  ['0.0 / 0.0', 'not a number'],
  ['{"a": sqrt(-1)}', 'not a number'],
  ['floor(0.0 / 0.0)', 'no whole number'],
  ['1u', 'without a sign'],
  ['uint(1) + 1', 'without a sign'],
])('%s has no value: %s', (expression, message) => {
  const [error] = errorsOf(edit(tiny, 'size: small', `size: '\${{ ${expression} }}'`));
  expect(`${error!.line} ${error!.message}`).toMatch(new RegExp(`^6 .*${message}`));
});

it('warns of each division that drops a remainder, also in a list, and not of those in a branch that is not taken', () => {
  const warned = (expression: string) =>
    warningsOf(edit(tiny, '${{ params.batchSize }}', `'\${{ ${expression} }}'`)).filter(
      ({ code }) => code === 'whole-division',
    ).length;
  expect(warned('params.batchSize / 4')).toBe(1);
  expect(warned('[1, 2].map(x, params.batchSize / 4)[0]')).toBe(1);
  expect(warned('dyn(7) / 2 + 9 / 4')).toBe(2);
  expect(warned('true ? 1 : 7 / 2')).toBe(0);
  expect(warned('params.batchSize / 25')).toBe(0);
});
