import { expect, it } from 'vitest';
import { compile, PipelineError } from '../../../../compiler/index.ts';
import { edit, errorsOf, planOf, tiny } from '../pipelines.ts';

/** Processor seconds that a compilation may take: two on a quiet machine, a few more where others share the core's caches and units. */
const allowedSeconds = 4;

/** Words of the parser, the checker and the engine below an expression; the types that CEL has are whole numbers, texts and so on here. */
const machinery =
  /BigInt|[A-Z]{4,}|\bEOF\b|call stack|overload|\bdyn\b|\bany\b|undefined|max[A-Z]|Optional|Namespace|google|JSON|ast\b|predicate|macro|regexp|\b(list|map)</;

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
  expect(messages.join('\n')).not.toMatch(machinery);
  return messages;
}

const withParams = (lines: readonly string[]) =>
  edit(tiny, '  size: small\n', `  size: small\n${lines.map((line) => `  ${line}\n`).join('')}`);
const withSize = (expression: string) => edit(tiny, 'size: small', `size: >-\n    \${{ ${expression} }}`);
const list = (length: number) => `l: [${repeat(length, String)}]`;
const text = (length: number) => `t: ${'a'.repeat(length)}`;
/** `t16` is a text of 655,360 characters. */
const doubled = [
  't0: aaaaaaaaaa',
  ...Array.from({ length: 16 }, (_, i) => `t${i + 1}: \${{ params.t${i} + params.t${i} }}`),
];
const exists = (found: string) =>
  `x: \${{ params.l.exists(a, params.l.exists(b, params.l.exists(c, ${found}))) }}`;
const steps = /more than 20,000,000 steps/;
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
    /more than 20,000,000 steps/,
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
  ['an `exists` that finds nothing', withParams([list(900), exists('a + b + c < 0')]), steps],
  ['an `exists` that fails each time', withParams([list(900), exists('1 / 0 == a + b + c')]), steps],
  ['a million failures', withParams([list(1000), exists('a / 0 == b')]), steps],
  [
    'an `all` that always holds',
    withParams([list(900), 'x: ${{ params.l.all(a, params.l.all(b, params.l.all(c, a + b + c >= 0))) }}']),
    steps,
  ],
  [
    'loops over the keys of a map',
    withParams([
      `m: {${repeat(2000, (i) => `a${i}: 1`)}}`,
      'x: ${{ params.m.exists(k, params.m.exists(j, params.m.exists(i, i == "b"))) }}',
    ]),
    steps,
  ],
  [
    'a list looked through for each of its values',
    withParams([list(20_000), 'x: ${{ params.l.filter(a, !(a + 100000 in params.l)) }}']),
    steps,
  ],
  [
    'lists compared again and again',
    withParams([list(20_000), 'x: ${{ params.l.filter(a, params.l == params.l + [a]) }}']),
    steps,
  ],
  ...[
    'params.t.contains("b" + params.t)',
    'params.t == params.t + "a"',
    'params.t < params.t + "a"',
    'params.t.startsWith(params.t)',
    'size(params.t) > 0',
    'size(params.t.split("")) > 0',
    'params.t.upperAscii() == "A"',
    'params.t.matches("(a|b|ab)*c")',
    '"a".matches("(a|b|[c-z]){1,500}" + string(a))',
    'string(params.l) == ""',
    'timestamp(a).getHours("Europe/Berlin") > 0',
  ].map((each): [string, string, RegExp] => [
    `${each} thousands of times`,
    withParams([list(20_000), text(90_000), `x: \${{ params.l.filter(a, ${each}) }}`]),
    steps,
  ]),
  [
    'a search that goes back again and again',
    withParams([...doubled, 'x: ${{ params.t16.contains(params.t14 + "b" + params.t14) }}']),
    steps,
  ],
  [
    'a pattern of thousands of parts for a long text',
    withParams([...doubled, 'x: ${{ params.t16.matches("(a?){300}(a{30}){30}b") }}']),
    steps,
  ],
  ['repetitions of repetitions', withSize('"a".matches("(((a{1000}){1000}){1000}){1000}")'), /not a regular/],
  [
    'a long text joined',
    withParams([...doubled, list(500), 'x: ${{ params.l.map(a, params.t16).join() }}']),
    /100,000 parts/,
  ],
  [
    'a long separator',
    withParams([...doubled, 'x: ${{ "a,b,c".split("").map(a, ",,,,").join(params.t16).size() }}']),
    /characters/,
  ],
  [
    'a list in a list in a list',
    withParams(['p0: [1]', ...repeat(3000, (i) => `p${i + 1}: \${{ [params.p${i}] }}`)]),
    /nested more than 100 deep/,
  ],
  [
    'lists of the file within one another',
    withParams(['p0: [1]', ...repeat(3000, (i) => `p${i + 1}: ["\${{ params.p${i} }}"]`)]),
    /nested more than 100 deep/,
  ],
  [
    'a list doubled in one expression',
    withSize(
      repeat(40, (i) => `cel.bind(v${i + 1}, [v${i}, v${i}], `)
        .join('')
        .replace('[v0, v0]', '[1]')
        .concat('size(v40)', ')'.repeat(40)),
    ),
    /100,000 parts/,
  ],
  [
    'a long list in thousands of cells',
    edit(
      withParams([list(20_000), 'm: ${{ params.l.map(x, x + 1) }}']),
      'stages:',
      'strategy: { matrix: { batchSize: { range: [1, 2000] } } }\nstages:',
    ),
    steps,
  ],
  ['5,000 values of a list', withSize(`size([${repeat(5000, String)}])`), undefined],
  ['5,000 arguments', withSize(`min(${repeat(5000, String)})`), /`min` cannot take/],
  ['200,000 parts', withSize(`size([${repeat(200_000, () => '1')}])`), /too long/],
  ['half a million braces', withParams([`u: '${'{'.repeat(500_000)}'`]), undefined],
  ['a sum of 10,000 terms', withSize(repeat(10_000, () => '1').join(' + ')), /too long/],
  ['10,000 brackets', withSize(`${'('.repeat(10_000)}1${')'.repeat(10_000)}`), /too long/],
  ['10,000 lists', withSize(`${'['.repeat(10_000)}1${']'.repeat(10_000)}`), /too long/],
  ['10,000 maps', withSize(`${'{"a": '.repeat(10_000)}1${'}'.repeat(10_000)}`), /too long/],
  ['10,000 signs', withSize(`${'-'.repeat(10_000)}1`), /too long/],
  ['10,000 choices', withSize(`${'true ? 1 : '.repeat(10_000)}1`), /too long/],
  ['10,000 members', withSize(`params${'.size'.repeat(10_000)}`), /too long/],
  ['10,000 divisions', withSize(repeat(10_000, () => '7').join(' / ')), /too long/],
  ['a chain of 300 divisions', withSize(repeat(300, () => '7').join(' / ')), undefined],
  [
    'macros within macros',
    withSize(`${'[1, 2].map(x, '.repeat(100)}1${')'.repeat(100)}`),
    /more than 100,000 parts/,
  ],
  ['a huge power', withSize('pow(10, 400)'), /not a finite number/],
  ['a huge whole number', withSize('9223372036854775807 + 1'), /beyond/],
  ['the floor of nothing', withSize('floor(0.0 / 0.0)'), /no whole number/],
  ['the floor of too much', withSize('floor(1e300)'), /beyond/],
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
  'null + 1',
  'params.rate + true',
  '[1] + 1',
  '-[1]',
  '!params.size',
  '1 in {"1": 2}',
  '"a" in "abc"',
  'min(1, 2, 3)',
  'min()',
  'min([1, 2])',
  'params.size.size(1)',
  'params.size.foo(1)',
  '[1].join()',
  '[1, "a"].join(",")',
  '[["a"]].join(1)',
  '"abc".substring(5)',
  '"abc".substring(2, 1)',
  '"abc".matches("[")',
  '"abc".matches(1)',
  '1.matches("a")',
  '[1][0.5]',
  '[1][dyn(0.5)]',
  'dyn("a").foo()',
  'dyn(5).map(x, x)',
  'dyn(1) && true',
  'dyn(1) ? 1 : 2',
  '-dyn("a")',
  'timestamp("2024-01-01T00:00:00Z")',
  'timestamp("2024-01-01T00:00:00Z") + 1',
  'timestamp("2024-01-01T00:00:00Z").getHours("nowhere")',
  'duration("1h") + 1',
  'b"{}".json().a',
  'b"x{".json()',
  'google',
  'cel',
  'cel + 1',
  'int',
  'type(1) + 1',
  'uint(1)',
  'cel.bind(1, 1, 1)',
  '[1].all(x, "a")',
  '[1].map(x, y)',
  '[1].exists_one(x, 1)',
  '[1].filter(x, 1)',
  '{"a": 1}.a.b',
  'has({"a": 1}.b)',
  '1e999',
  '0xG',
  '5.',
  '.5',
  '1__0',
  '"\\x"',
  '"\\u12"',
  '[?1]',
  'optional.of(1)',
  'x => x',
])('the wrong expression %s is told in words of the language, at its place', (expression) => {
  const text = edit(tiny, 'size: small', `size: ${JSON.stringify(`\${{ ${expression} }}`)}`);
  const [error, ...more] = errorsOf(text);
  expect(more).toEqual([]);
  expect(error!.line).toBe(6);
  expect(error!.column).toBeGreaterThan(8);
  const said = `${error!.message} ${error!.cure ?? ''}`;
  expect(said).not.toMatch(machinery);
});
