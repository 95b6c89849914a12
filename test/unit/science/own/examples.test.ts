import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as library from '../../../../science/index.ts';

const root = path.join(import.meta.dirname, '..', '..', '..', '..');

/** The body of each `@example` in the public docstrings, and whose it is. */
const examples = ['science', 'compute'].flatMap((room) =>
  readdirSync(path.join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const text = readFileSync(path.join(root, room, name), 'utf8');
      return Array.from(
        text.matchAll(/\n \* @example\n((?: \*(?! @)(?!\/).*\n)+)/g),
        ([, body = ''], index) => ({
          name: `${room}/${name}, ${index + 1}`,
          body: body.replaceAll(/^ \* ?/gm, ''),
        }),
      );
    }),
);

/** `expression; // value` says what the expression is, `// ~ value` to the digits given or 1e-4. */
function checked(body: string): string {
  return body.replaceAll(
    /^(?!const |let |for )(.+); \/\/ (~ )?(.+)$/gm,
    (_, expression: string, about: string | undefined, value: string) =>
      `seen++; expect(${expression}).${about === undefined ? 'toBe' : 'toBeCloseTo'}(${value}${about === undefined ? '' : ', 3'});`,
  );
}

const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;

test.each(examples)('the example of $name gives what it says', async ({ body }) => {
  const names = Object.keys(library);
  const run = AsyncFunction('expect', ...names, `let seen = 0;\n${checked(body)}\nreturn seen;`);
  const seen: unknown = await run(expect, ...Object.values(library));
  expect(seen).toBeGreaterThan(0);
});

test('docs/library.md names all that is exported', () => {
  const text = readFileSync(path.join(root, 'docs', 'library.md'), 'utf8');
  expect(Object.keys(library).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test('what one begins with has an example', () => {
  const files = new Set(examples.map(({ name }) => name.split(',')[0]));
  for (const begin of ['classification', 'loss-problem', 'eigenpairs'])
    expect(files).toContain(`science/own/${begin}.ts`);
});
