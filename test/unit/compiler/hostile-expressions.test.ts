import { expect, it } from 'vitest';
import { compile, PipelineError } from '../../../compiler/index.ts';
import { edit, errorsOf, planOf, tiny } from './pipelines.ts';

/** Processor seconds that a compilation may take: two on a quiet machine, a few more where others share the core's caches and units. */
const allowedSeconds = 4;

/** The plan, or the errors, of a pipeline; fails if that keeps the processor busy for long. */
function answer(text: string): readonly string[] {
  const before = process.cpuUsage();
  let messages: string[] = [];
  try {
    compile(text, { file: 'x.yaml' });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    messages = error.diagnostics.flatMap(({ severity, message, line, cure }) => {
      expect(line).toBeGreaterThan(1);
      return severity === 'error' ? [`${message} (${cure ?? ''})`] : [];
    });
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(allowedSeconds);
  expect(messages.join('\n')).not.toMatch(
    /BigInt|[A-Z]{4,}|\bEOF\b|call stack|overload|\bdyn\b|undefined|max[A-Z]/,
  );
  return messages;
}

const withParams = (lines: readonly string[]) =>
  edit(tiny, '  size: small\n', `  size: small\n${lines.map((line) => `  ${line}\n`).join('')}`);
const withSize = (expression: string) => edit(tiny, 'size: small', `size: >-\n    \${{ ${expression} }}`);
const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index));

it('params that each use the two above end', () => {
  const fibonacci = repeat(44, (i) => `f${i + 2}: \${{ params.f${i + 1} + params.f${i} }}`);
  expect(answer(withParams(['f0: 1', 'f1: 1', ...fibonacci]))).toEqual([]);
  expect(planOf(withParams(['f0: 1', 'f1: 1', ...fibonacci])).params.f45).toBe(1836311903);
});

it('two thousand params in a chain are planned', () => {
  const chain = repeat(2000, (i) => `p${i + 1}: \${{ params.p${i} + 1 }}`);
  expect(answer(withParams(['p0: 1', ...chain]))).toEqual([]);
});

it.each<[string, string, RegExp | undefined]>([
  ['a pattern that backtracks', withSize(`"${'a'.repeat(40)}!".matches("^(a+)+$") ? 1 : 2`), undefined],
  ['a pattern that is none', withSize('"a".matches("(")'), /not a regular expression/],
  ['a pattern with a look-behind', withSize('"a".matches("(?<=a)b")'), /not a regular expression/],
  [
    'a comprehension over millions',
    withSize(
      `size([${repeat(300, String)}].map(a, [${repeat(300, String)}].map(b, [${repeat(300, String)}].map(c, 1))))`,
    ),
    /more than 2,000,000 steps/,
  ],
  [
    'a text doubled again and again',
    withParams(['t0: abcdefghij', ...repeat(60, (i) => `t${i + 1}: \${{ params.t${i} + params.t${i} }}`)]),
    /a text of more than 1,000,000 characters/,
  ],
  [
    'a text doubled in place',
    withParams([
      't0: abcdefghij',
      ...repeat(60, (i) => `t${i + 1}: "\${{ params.t${i} }}\${{ params.t${i} }}"`),
    ]),
    /a text of more than 1,000,000 characters/,
  ],
  [
    'a list doubled again and again',
    withParams(['t0: [1]', ...repeat(60, (i) => `t${i + 1}: \${{ params.t${i} + params.t${i} }}`)]),
    /a list of more than 100,000 values/,
  ],
  [
    'lists within lists',
    withParams([
      't0: [1]',
      ...repeat(60, (i) => `t${i + 1}: ["\${{ params.t${i} }}", "\${{ params.t${i} }}"]`),
    ]),
    /a value of more than 100,000 parts/,
  ],
  ['a sum of 10,000 terms', withSize(repeat(10_000, () => '1').join(' + ')), /too long/],
  ['10,000 brackets', withSize(`${'('.repeat(10_000)}1${')'.repeat(10_000)}`), /too long/],
  ['10,000 lists', withSize(`${'['.repeat(10_000)}1${']'.repeat(10_000)}`), /too long/],
  ['10,000 maps', withSize(`${'{"a": '.repeat(10_000)}1${'}'.repeat(10_000)}`), /too long/],
  ['10,000 signs', withSize(`${'-'.repeat(10_000)}1`), /too long/],
  ['10,000 choices', withSize(`${'true ? 1 : '.repeat(10_000)}1`), /too long/],
  ['10,000 members', withSize(`params${'.size'.repeat(10_000)}`), /too long/],
  ['10,000 divisions', withSize(repeat(10_000, () => '7').join(' / ')), /too long/],
  ['a chain of 300 divisions', withSize(repeat(300, () => '7').join(' / ')), undefined],
  ['macros within macros', withSize(`${'[1, 2].map(x, '.repeat(100)}1${')'.repeat(100)}`), /steps|too long/],
  ['a huge power', withSize('pow(10, 400)'), /not a finite number/],
  ['a huge whole number', withSize('9223372036854775807 + 1'), /beyond/],
  ['the floor of nothing', withSize('floor(0.0 / 0.0)'), /no whole number/],
  ['the floor of too much', withSize('floor(1e300)'), /too large/],
  [
    'a huge range',
    edit(tiny, 'stages:', 'strategy: { matrix: { rate: { range: [1, 1000000000] } } }\nstages:'),
    /more than/,
  ],
  [
    'a huge matrix',
    edit(
      tiny,
      'stages:',
      'strategy: { matrix: { rate: { range: [1, 1000] }, batchSize: { range: [1, 1000] } } }\nstages:',
    ),
    /more than|combinations|cells/,
  ],
])('%s ends in time, and in words of the language', (_name, text, expected) => {
  const messages = answer(text);
  if (expected === undefined) expect(messages).toEqual([]);
  else expect(messages.join('\n')).toMatch(expected);
});

it.each([
  '1 +',
  '(1',
  '1)',
  '[1, 2',
  '{"a": 1',
  '{"a" 1}',
  '1 2',
  'a b',
  '* 2',
  '1 ? 2 : 3',
  'true ? 1',
  '1 && 2',
  '!3',
  '"a" - "b"',
  '"a" + 1',
  '1 + [1]',
  '[1]["a"]',
  '1.5.foo',
  'params.size.foo',
  '5.map(x, x)',
  '[1].map(1, 2)',
  '[1].map(x)',
  '[1][5]',
  '[1][-1]',
  '{"a": 1}["b"]',
  'int("x")',
  'double("x")',
  'bool("x")',
  '1 / 0',
  '1 % 0',
  '5.5 % 2',
  '-"a"',
  'for',
  'import',
  '"abc',
  "'abc",
  '"a\\q"',
  '0x',
  '1e',
  '1u + 1',
  'b"x"',
  'timestamp("x")',
  'duration("x")',
  'has(params)',
  'has(1)',
  'size(1)',
  'nosuch(1)',
  'floor("x")',
  'min(1)',
  'min(1, "a")',
  'params.rate in 5',
  'type(1)',
  'dyn(1) + dyn("a")',
  'dyn([1]) + 1',
  '1 == "a"',
  '@',
  '$x',
  'params.',
  '.size',
  'params..size',
  '1 = 2',
  'x => x',
])('the wrong expression %s is told in words of the language, at its place', (expression) => {
  const text = edit(tiny, 'size: small', `size: ${JSON.stringify(`\${{ ${expression} }}`)}`);
  const [error, ...more] = errorsOf(text);
  expect(more).toEqual([]);
  expect(error!.line).toBe(6);
  expect(error!.column).toBeGreaterThan(8);
  const said = `${error!.message} ${error!.cure ?? ''}`;
  expect(said).not.toMatch(
    /BigInt|[A-Z]{4,}|\bEOF\b|call stack|overload|\bdyn\b|undefined|max[A-Z]|Optional|Namespace/,
  );
});
