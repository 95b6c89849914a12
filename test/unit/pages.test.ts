import { existsSync, globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })];
const { forbidden } = createRequire(import.meta.url)(path.join(root, '.dependency-cruiser.cjs')) as {
  readonly forbidden: readonly { readonly name: string; readonly comment?: string }[];
};

test.each(pages)('what %s links to is there', (page) => {
  const targets = Array.from(read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g), ([, target]) => target!);
  const files = targets.filter((target) => !/^[a-z]+:/.test(target));
  expect(files.filter((file) => !existsSync(path.join(root, path.dirname(page), file)))).toEqual([]);
});

test.each(['CONTRIBUTING.md', 'docs/architecture.md', 'docs/theory.md', 'docs/benchmarks/README.md'])(
  'the files that %s names are there',
  (page) => {
    const named = Array.from(read(page).matchAll(/`([\w.-]+\/[\w./-]*)`/g), ([, name]) => name!);
    const files = named.filter((name) => !name.includes('NAME'));
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  },
);

/** Rows of the tables of a page whose first column is a room. */
const rows = Array.from(
  read('docs/architecture.md').matchAll(/^\| `([\w/]+)\/` \| (.*) \|$/gm),
  ([, room, columns]) => [room!, columns!.split(' | ').at(-1)!.replaceAll('`', '').trim()] as const,
);

test('docs/architecture.md says of each room what its rule lets it import', () => {
  const rules = forbidden.flatMap(({ comment }) => {
    const [, room, allowed] = /^(\w+)\/ may import (.*)\.$/.exec(comment ?? '') ?? [];
    return room === undefined ? [] : [`${room}: ${allowed === 'no other room' ? 'nothing' : allowed}`];
  });
  const told = rows.map(([room, allowed]) => `${room}: ${allowed}`);
  expect(told.filter((line) => rules.includes(line)).sort()).toEqual(rules.sort());
});

test('docs/architecture.md lists the rooms within a room in the order of their rules', () => {
  const ordered = Map.groupBy(
    forbidden.flatMap(({ comment }) => {
      const [, room, name] = /^(.*)\/([\w-]+)\/ builds on /.exec(comment ?? '') ?? [];
      return room === undefined ? [] : [{ room, name }];
    }),
    ({ room }) => room,
  );
  expect(ordered.size).toBeGreaterThan(3);
  for (const [room, names] of ordered) {
    // The last one has no rule: it may import all before it.
    const told = rows.filter(([each]) => each === room).map(([, list]) => list.split(', ').slice(0, -1));
    expect(told).toContainEqual(names.map(({ name }) => name));
  }
});
