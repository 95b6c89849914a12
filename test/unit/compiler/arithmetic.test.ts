import fc from 'fast-check';
import { expect, it } from 'vitest';
import { environmentOf } from '../../../compiler/cel.ts';
import { compileExpression, EvaluationFailure } from '../../../compiler/expression.ts';
import type { Scope } from '../../../compiler/scope.ts';
import { WorkBudget } from '../../../compiler/work.ts';
import { edit, planOf, tiny, withOf } from './pipelines.ts';

const params = { whole: 7n, other: -3n, decimal: 0.15, half: 2.5, yes: true };
const scope: Scope = {
  environment: environmentOf({ whole: 'int', other: 'int', decimal: 'double', half: 'double', yes: 'bool' }),
  budget: new WorkBudget(),
  params: Object.keys(params),
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
  const results: Record<string, number> = { '+': x + y, '-': x - y, '*': x * y, '/': x / y };
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
    round: Math.round,
    int: Math.trunc,
  };
  const rounded = rounding[name]!(value);
  return typed(
    text,
    type,
    !Number.isFinite(rounded) ? undefined : name === 'int' ? BigInt(rounded) : fits(BigInt(rounded)),
  );
}

function pick(name: 'min' | 'max', a: Typed, b: Typed): Typed {
  const text = `${name}(${a.text}, ${b.text})`;
  const type = isWhole(a) && isWhole(b) ? 'int' : 'double';
  if (a.value === undefined || b.value === undefined) return typed(text, type, undefined);
  const first = a.value < b.value === (name === 'min');
  const value = first ? a.value : b.value;
  return typed(text, type, type === 'double' ? Number(value) : value);
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

const { number } = fc.letrec<{ number: Typed }>((tie) => ({
  number: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('number'), fc.constantFrom('+', '-', '*', '/'), tie('number'))
      .map(([a, op, b]) => arithmetic(a, op, b)),
    fc
      .tuple(tie('number').filter(isWhole), tie('number').filter(isWhole))
      .map(([a, b]) => arithmetic(a, '%', b)),
    fc
      .tuple(fc.constantFrom('floor', 'ceil', 'round', 'int', 'double', 'abs', 'sqrt'), tie('number'))
      .map(([name, x]) => call(name, x)),
    fc
      .tuple(fc.constantFrom('min' as const, 'max' as const), tie('number'), tie('number'))
      .map(([name, a, b]) => pick(name, a, b)),
    tie('number').map((x) =>
      typed(`-(${x.text})`, x.type, x.value === undefined ? undefined : -(x.value as bigint)),
    ),
  ),
}));

const condition = fc
  .tuple(number, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), number)
  .map(([a, op, b]) => comparison(a, op, b));

function typeOf(value: unknown): string {
  return { bigint: 'int', number: 'double', boolean: 'bool' }[typeof value as 'bigint'] ?? typeof value;
}

function check({ text, type, value }: Typed): void {
  const problems: string[] = [];
  const expression = compileExpression(text, scope, undefined, 'here', (_start, _end, message) =>
    problems.push(message),
  );
  expect(problems, text).toEqual([]);
  expect(expression!.type, text).toBe(type);
  if (value === undefined) {
    expect(() => expression!.evaluate({ params }), text).toThrow(EvaluationFailure);
    return;
  }
  const got = expression!.evaluate({ params });
  expect(typeOf(got), text).toBe(type);
  expect(got, text).toBe(value);
}

it('the checked type of a number is its type at run time, and the value that of exact arithmetic', () => {
  fc.assert(fc.property(number, check), { numRuns: 3000 });
});

it('numbers of either sort compare by their exact values', () => {
  fc.assert(fc.property(condition, check), { numRuns: 1000 });
});

it('a choice between numbers of two sorts, and a list of both, keep each as it is', () => {
  fc.assert(
    fc.property(condition, number, number, (test, a, b) => {
      fc.pre(test.value !== undefined && a.value !== undefined && b.value !== undefined);
      for (const text of [
        `${test.text} ? ${a.text} : ${b.text}`,
        `[${a.text}, ${b.text}][${test.text} ? 0 : 1]`,
      ]) {
        const expression = compileExpression(text, scope, undefined, 'here', (_s, _e, message) => {
          throw new Error(`${text}: ${message}`);
        });
        const got = expression!.evaluate({ params });
        const expected = test.value === true ? a : b;
        expect(got, text).toBe(expected.value);
        expect([typeOf(got), 'dyn'], text).toContain(expression!.type);
      }
    }),
    { numRuns: 500 },
  );
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
  ['[1, 2.5].map(x, x * 2)', [2, 5]],
  ['[1, 2].map(x, x * 0.5)[0] + 1', 1.5],
  ['params.batchSize > 1 ? params.batchSize * 0.5 + 1 : 3', 26],
])('%s', (expression, expected) => {
  const text = edit(tiny, 'size: small', `size: '\${{ ${expression} }}'`);
  expect(planOf(text).params.size).toEqual(expected);
});
