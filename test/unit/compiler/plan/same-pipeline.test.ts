import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { compile } from '../../../../compiler/index.ts';

const folder = new URL('../../../../pipelines/', import.meta.url);
const pipelines = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));

/** What decides the step keys of each cell: recipes, which equal ones follow from, by cell and stage. */
function recipesOf(text: string): Record<string, string> {
  const { cells } = compile(text, { file: 'x.yaml' }).plan;
  return Object.fromEntries(
    cells.flatMap(({ id, stages }) => stages.map(({ name, recipe }) => [`${id} ${name}`, recipe])),
  );
}

/** The plan's `with` of each stage has all defaults; with it written out, the file says the same. */
function withDefaults(text: string): string {
  const { stages } = compile(text, { file: 'x.yaml' }).plan.cells[0]!;
  const file = parse(text) as { stages: Record<string, { with?: Record<string, unknown> }> };
  for (const { name, with: filled } of stages) {
    const stage = file.stages[name]!;
    stage.with = { ...filled, ...stage.with };
  }
  return stringify(file, { lineWidth: 0 });
}

type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree };

/** Keys in another order wherever order means nothing: everywhere but among params and axes, which may use those above them. */
function shuffled(value: Tree, choose: (count: number) => number, path: readonly string[] = []): Tree {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, choose, [...path, '']));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const ordered = ['params', 'strategy/matrix', 'stages'].includes(path.join('/'));
  for (let last = entries.length - 1; last > 0 && !ordered; last--) {
    const other = choose(last + 1);
    [entries[last], entries[other]] = [entries[other]!, entries[last]!];
  }
  return Object.fromEntries(entries.map(([key, member]) => [key, shuffled(member, choose, [...path, key])]));
}

const styles = fc.record({
  blockQuote: fc.constantFrom('BLOCK_FOLDED', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'PLAIN'),
  collectionStyle: fc.constantFrom('any', 'block', 'flow'),
  indent: fc.constantFrom(2, 4, 7),
  ends: fc.constantFrom('\n', '\r\n'),
  mark: fc.constantFrom('', '\ufeff'),
  comments: fc.boolean(),
});

describe.each(pipelines)('$file', ({ text }) => {
  const recipes = recipesOf(text);

  test('has the same recipes however it is written', () => {
    fc.assert(
      fc.property(styles, fc.infiniteStream(fc.nat(1e6)), (style, numbers) => {
        const choose = (count: number) => (numbers.next().value as number) % count;
        const tree = shuffled(parse(text) as Tree, choose);
        const written = stringify(tree, {
          collectionStyle: style.collectionStyle as 'any',
          defaultStringType: style.blockQuote as 'PLAIN',
          defaultKeyType: 'PLAIN',
          indent: style.indent,
          lineWidth: 0,
        });
        const lines = style.comments ? written.replace(/^(\S.*)$/gm, '# a comment\n$1') : written;
        expect(recipesOf(style.mark + lines.replaceAll('\n', style.ends))).toEqual(recipes);
      }),
      { numRuns: 12 },
    );
  });

  test('has the same recipes with its defaults written out', () => {
    expect(recipesOf(withDefaults(text))).toEqual(recipes);
  });

  test('has the same recipes with whole numbers as decimals, in settings that are no divisors', () => {
    const decimals = text.replace(
      /^( +(?:epochs|batchSize|warmup|top|examples|testExamples|seed|lags): )(\d+)$/gm,
      '$1$2.0',
    );
    expect(recipesOf(decimals)).toEqual(recipes);
  });
});

test('anchors, aliases and merges say the same as what they stand for', () => {
  const stage = (withs: string) =>
    `version: 1\nname: x\nstages:\n  a: { uses: dataset, with: ${withs.replace('X', '&x { name: gaussian-mixture, classes: 3 }')} }\n  b: { uses: dataset, with: `;
  const plain = `${stage('X')}{ name: gaussian-mixture, classes: 3 } }\n`;
  expect(recipesOf(`${stage('X')}*x }\n`)).toEqual(recipesOf(plain));
  expect(recipesOf(`${stage('X')}{ <<: *x } }\n`)).toEqual(recipesOf(plain));
  expect(recipesOf(plain)['main a']).toBe(recipesOf(plain)['main b']);
});
