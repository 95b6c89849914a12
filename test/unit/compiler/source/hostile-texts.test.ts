import { describe, expect, it } from 'vitest';
import { compile, formatDiagnostics, PipelineError } from '../../../../compiler/index.ts';
import { edit, tiny } from '../pipelines.ts';

/** Processor seconds that an answer may take: two on a quiet machine, a few more where others share the core's caches and units. */
const allowedSeconds = 5;

function answer(
  text: string,
  overrides: Record<string, string> = {},
): { readonly first: string; readonly printed: string; readonly count: number } {
  const before = process.cpuUsage();
  let found: readonly PipelineError['diagnostics'][number][] = [];
  try {
    compile(text, { file: 'x.yaml', overrides });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    found = error.diagnostics;
  }
  const printed = formatDiagnostics(found);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(allowedSeconds);
  expect(printed).not.toMatch(/call stack|\bEOF\b|undefined|[A-Z]{3,}_[A-Z]/);
  return {
    first: found[0] === undefined ? 'sound' : `${found[0].code} ${found[0].line}`,
    printed,
    count: found.length,
  };
}

const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index)).join('');

describe('a text that is meant to hurt gets an answer in time, at its place', () => {
  it.each<[string, string, string]>([
    ['an alias within itself', edit(tiny, 'size: small', 'size: &a { b: [*a] }'), 'alias 6'],
    [
      'aliases of aliases of aliases',
      `a: &a0 [x, x]\n${many(30, (i) => `k${i}: &a${i + 1} [*a${i}, *a${i}, *a${i}]\n`)}`,
      'alias 15',
    ],
    ['10,000 open brackets', `a: ${'['.repeat(10_000)}`, 'too-large 1'],
    ['500 brackets', `a: ${'['.repeat(500)}${']'.repeat(500)}`, 'too-large 1'],
    ['a thousand levels of indentation', many(1000, (i) => `${' '.repeat(i)}a:\n`), 'too-large 102'],
    ['10 million characters', `${tiny}# ${'x'.repeat(10_000_000)}`, 'too-large 1'],
    ['nearly a million characters of comments', `${tiny}${'# xxxxxxx\n'.repeat(95_000)}`, 'sound'],
    ['a key of half a million characters', edit(tiny, 'epochs: 3', `${'k'.repeat(500_000)}: 3`), 'yaml 17'],
    [
      'a value of half a million characters',
      edit(tiny, 'size: small', `size: ${'k'.repeat(500_000)}`),
      'sound',
    ],
    [
      'thousands of unknown keys',
      edit(
        tiny,
        'epochs: 3',
        many(5000, (i) => `k${i}: 1\n      `),
      ),
      'missing-key 14',
    ],
    [
      'thousands of stages',
      `${tiny}${many(3000, (i) => `  s${i}: { uses: nothing }\n`)}`,
      'unknown-stage-kind 23',
    ],
    [
      'thousands of wrong expressions',
      edit(
        tiny,
        '  size: small',
        many(3000, (i) => `  p${i}: "\${{ 1 + }}"\n`),
      ),
      'wrong-expression 6',
    ],
    ['a null character', edit(tiny, 'epochs: 3', 'epochs: \0'), 'odd-character 17'],
    ['an escape of a terminal', edit(tiny, 'size: small', 'size: "\\e[31m"'), 'odd-character 6'],
    ['a lone surrogate', edit(tiny, 'epochs: 3', 'epochs: "\\uD800"'), 'odd-character 17'],
    ['half a character in the file', edit(tiny, 'size: small', 'size: "\uD800"'), 'odd-character 6'],
    [
      'keys, tens of thousands of them',
      edit(
        tiny,
        '  size: small',
        many(60_000, (i) => `  k${i}: 1\n`),
      ),
      'sound',
    ],
    [
      'anchors and aliases by the thousand',
      edit(
        tiny,
        '  size: small',
        many(8000, (i) => `  k${i}: &a${i} 1\n  l${i}: *a${i}\n`),
      ),
      'sound',
    ],
    [
      'a long text, repeated',
      edit(tiny, 'size: small', `size: &a ${'x'.repeat(500_000)}\n  sizes: [${'*a, '.repeat(5000)}]`),
      'alias 7',
    ],
    [
      'aliases of aliases without end',
      edit(tiny, 'size: small', `a: &a0 [x]\n${many(5000, (i) => `  k${i}: &a${i + 1} [*a${i}]\n`)}`),
      'alias 107',
    ],
    [
      'stages that wait for one another, in a row',
      `${tiny}${many(15_000, (i) => `  s${i}: { uses: toy, needs: [${i === 0 ? 'data' : `s${i - 1}`}] }\n`)}`,
      'missing-key 23',
    ],
    [
      'axes that are none, by the thousand',
      `${tiny}strategy:\n  matrix:\n${many(10_000, (i) => `    a${i}: 3\n`)}`,
      'wrong-value 25',
    ],
    [
      'a list of wrong values',
      edit(tiny, '{ name: mlp }', `{ name: mlp, hidden: [${'x, '.repeat(20_000)}] }`),
      'wrong-value 16',
    ],
  ])('%s', (_name, text, expected) => {
    expect(answer(text).first).toBe(expected);
  });
});

const dataOf = (seed: string) => `{ uses: dataset, with: { name: gaussian-mixture, seed: ${seed} } }`;
const using = (head: string, stages: string) => `version: 1\nname: large\n${head}stages:\n${stages}`;
const namedMany = (count: number, make: (index: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [make(index), '1']));

describe('a large pipeline is compiled in time', () => {
  it.each<[string, string]>([
    [
      '10,000 params that are each computed from the one above',
      using(
        `params:\n  p0: 1\n${many(10_000, (i) => `  p${i + 1}: \${{ params.p${i} + 1 }}\n`)}`,
        `  data: ${dataOf('"${{ params.p10000 }}"')}\n`,
      ),
    ],
    [
      '1,000 params, each used in 1,000 stages',
      using(
        `params:\n${many(1000, (i) => `  p${i}: ${i}\n`)}`,
        many(1000, (i) => `  d${i}: ${dataOf(`"\${{ params.p${i} + params.p${999 - i} }}"`)}\n`),
      ),
    ],
    [
      '100,000 cells',
      using(
        'params: { a: 1, b: 1 }\nstrategy:\n  matrix:\n    a: { range: [1, 1000] }\n    b: { range: [1, 100] }\n',
        `  data: ${dataOf('"${{ params.a + params.b }}"')}\n`,
      ),
    ],
    [
      '10,000 cells with 300 params each',
      using(
        `params:\n  a: 1\n${many(299, (i) => `  p${i}: ${i}\n`)}strategy:\n  matrix:\n    a: { range: [1, 10000] }\n`,
        `  data: ${dataOf('"${{ params.a + params.p7 }}"')}\n`,
      ),
    ],
    [
      '20,000 cells that are written out one by one, 10,000 of them extended, 5,000 excluded',
      using(
        `params: { a: 1, b: 1 }
strategy:
  matrix:
    a: { range: [1, 10000] }
    exclude:
${many(5000, (i) => `      - { a: ${i + 1} }\n`)}    include:
${many(10_000, (i) => `      - { a: ${i + 10_000} }\n`)}${many(5000, (i) => `      - { a: ${i + 9000}, b: ${i} }\n`)}`,
        `  data: ${dataOf('"${{ params.a + params.b }}"')}\n`,
      ).replace('range: [1, 10000]', 'range: [1, 9999]'),
    ],
    [
      'nearly a million characters of lists',
      `${tiny}`.replace(
        '  size: small\n',
        `  size: small\n${many(90, (i) => `  l${i}: [${many(1500, (j) => `${j}, `)}]\n`)}`,
      ),
    ],
    [
      '10,000 texts with expressions in them',
      `${tiny}`.replace(
        '  size: small\n',
        `  size: small\n${many(10_000, (i) => `  t${i}: "a\${{ params.size }}b${i}"\n`)}`,
      ),
    ],
  ])('%s', (_name, text) => {
    expect(answer(text).first).toBe('sound');
  });

  it('10,000 cells with 1,000 params each are told to be too much', () => {
    const text = using(
      `params:\n  a: 1\n${many(999, (i) => `  p${i}: ${i}\n`)}strategy:\n  matrix:\n    a: { range: [1, 10000] }\n`,
      `  data: ${dataOf('"${{ params.a + params.p7 }}"')}\n`,
    );
    expect(answer(text).first).toBe('wrong-matrix 3');
  });

  it('10,000 values of `--set`', () => {
    const text = using(`params:\n${many(10_000, (i) => `  p${i}: ${i}\n`)}`, `  data: ${dataOf('1')}\n`);
    expect(
      answer(
        text,
        namedMany(10_000, (i) => `p${i}`),
      ).first,
    ).toBe('sound');
    expect(
      answer(
        text,
        namedMany(10_000, (i) => `q${i}`),
      ),
    ).toMatchObject({ first: 'wrong-override 3', count: 501 });
  });

  it('names that are not there where there are thousands of others', () => {
    const text = `params:\n  a: 1\n${many(10_000, (i) => `  p${i}: \${{ params.aa${i} }}\n`)}`;
    expect(answer(using(text, `  data: ${dataOf('1')}\n`))).toMatchObject({
      first: 'wrong-expression 5',
      count: 501,
    });
  });
});

it('a long line is shown around the place, and no control character reaches the terminal', () => {
  const hostile = '\u001b[2J\u0007\u202e\u009b31m'.repeat(5000);
  const { printed } = answer(edit(tiny, 'epochs: 3', `epochs: "${hostile}" # ${hostile}`));
  expect(printed.length).toBeLessThan(3000);
  expect([...printed].filter((character) => character !== '\n' && /[\p{Cc}\p{Cf}]/u.test(character))).toEqual(
    [],
  );
  expect(printed).toContain('\u241b[2J');
});

it('thousands of errors are counted, and some of them written out', () => {
  const { printed, count } = answer(
    edit(
      tiny,
      'epochs: 3',
      many(5000, (i) => `k${i}: 1\n      `),
    ),
  );
  // The check ends after 500 of them, which is told at the last.
  expect(count).toBe(501);
  expect(printed).toContain('... and 481 more');
  expect(printed.length).toBeLessThan(20_000);
});

it('thousands of lines that YAML takes for maps within maps are refused', () => {
  const lines = many(5000, (i) => `  p${i + 1}: \${{ {"a": params.p${i}} }}\n`);
  const text = edit(tiny, '  size: small\n', `  size: small\n  p0: 1\n${lines}`);
  // How deep the parser can follow depends on the room that the process has for calls within calls.
  expect(answer(text).first).toMatch(/^(too-large 1|yaml \d+)$/);
});
