import { expect, test } from 'vitest';
import { mutantsOf, mutated } from '../mutation/mutants.ts';

const changes = (source: string) => mutantsOf(source).map(({ change }) => change);
const texts = (source: string) =>
  mutantsOf(source).map(
    ({ start, end, replacement }) => source.slice(0, start) + replacement + source.slice(end),
  );

test('a formula is changed at one place at a time', () => {
  expect(texts('const x = (a - 1) / n;')).toEqual([
    'const x = (a + 1) / n;',
    'const x = (a - 0) / n;',
    'const x = (a - 1) * n;',
  ]);
  expect(texts('y = Math.sqrt(a[0]! ** 2);')).toEqual([
    ';',
    'y = (a[0]! ** 2);',
    'y = Math.sqrt(a[1]! ** 2);',
    'y = Math.sqrt(a[0]! * 2);',
    'y = Math.sqrt(a[0]! ** 3);',
  ]);
  expect(changes('if (a < b) sum += 0.5;')).toEqual([
    '< becomes <=',
    '< becomes >=',
    '+= becomes -=',
    '0.5 becomes 0.75',
  ]);
});

test('types, texts and what is thrown stay as they are', () => {
  expect(
    changes(
      "import { a } from 'b'; type T = 1 | 2; const s: T = f<3>('1 + 1'); throw new Error(`${1 + 1}`);",
    ),
  ).toEqual([]);
});

test('a change that makes a loop endless ends in an error', () => {
  const source = 'let n = 0;\nwhile (n < 3) n += 1;\nfor (let i = 0; i < 2; i++) { n += i; }';
  const [endless] = mutantsOf(source).filter(({ change }) => change === '+= becomes -=');
  Reflect.set(globalThis, 'mutationEnd', process.cpuUsage().user / 1e6 + 0.2);
  expect(() => new Function(mutated(source, endless!))()).toThrow('This takes too long');
  expect(() => new Function(mutated(source, { start: 0, end: 0, replacement: '' }))()).not.toThrow();
});
