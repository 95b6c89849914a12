/** The example of docs/own-kinds.md, as a user runs it and goes on with it. */
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { epochal, freshHome, root } from '../epochal.ts';

const { home, remove } = freshHome({ bundled: true });
const folder = join(home, 'example');
const file = join(folder, 'study.yaml');
const module = (name: string) => join(folder, 'kinds', `${name}.ts`);
cpSync(join(root, 'docs', 'own-kinds'), folder, { recursive: true });
afterAll(remove);

const run = () => epochal(['run', file], home);
/** Stages that ran, those that were reused left out. */
const ran = (output: string) => Array.from(output.matchAll(/^(\w+): done/gm), ([, name]) => name!).sort();

test('a network, a data set, a stage and a figure of one’s own', async () => {
  const planned = await epochal(['plan', file], home);
  expect(planned, planned.stderr).toMatchObject({ code: 0 });
  expect(planned.stdout).toMatch(/pruned +\.\/kinds\/prune\.ts +run/);

  const first = await run();
  expect(first.code, first.stderr).toBe(0);
  expect(ran(first.stdout)).toEqual(['data', 'evaluate', 'hessian', 'pruned', 'train']);
  expect(first.stdout).toMatch(/note pruned: 149 of 298 weights are zero/);
  const report = /^report (.*)$/m.exec(first.stdout)![1]!;
  expect(readFileSync(report, 'utf8')).toContain('Eigenvalues in their order');
  expect(readFileSync(join(report, '..', 'figures', '1-eigenvalues.svg'), 'utf8')).toContain('<svg');

  expect(ran((await run()).stdout)).toEqual([]);
  const verified = await epochal(['verify'], home);
  expect(verified.stdout).toMatch(/ 0 bad/);
});

test('a module that was changed runs anew, with what comes of it', async () => {
  appendFileSync(module('prune'), '// Another version.\n');
  expect((await epochal(['plan', file], home)).stdout).toMatch(/train .* reuse[\s\S]*prune\.ts +run/);
  expect(ran((await run()).stdout)).toEqual(['evaluate', 'pruned']);
  writeFileSync(module('bottleneck'), readFileSync(module('bottleneck'), 'utf8').replace("'tanh'", "'relu'"));
  const changed = await run();
  expect(changed.code, changed.stderr).toBe(0);
  expect(ran(changed.stdout)).toEqual(['evaluate', 'hessian', 'pruned', 'train']);
});

test('what is wrong with a module is told in one sentence', async () => {
  const prune = readFileSync(module('prune'), 'utf8');
  const failing = async (text: string, expected = 2) => {
    writeFileSync(module('prune'), text);
    const { code, stdout, stderr } = await run();
    expect(code).toBe(expected);
    return stdout + stderr;
  };
  expect(await failing(`import './more.ts';\n${prune}`)).toMatch(
    /prune\.ts imports \.\/more\.ts: a module of one's own stands alone/,
  );
  expect(await failing('export const stages = {};\n')).toMatch(
    /kinds\/prune\.ts must export `stage` with a method `run`; it exports stages/,
  );
  expect(await failing('export const stage = {;\n')).toMatch(/kinds\/prune\.ts cannot be loaded: /);
  expect(
    await failing(
      prune.replace('async run(context) {', "async run(context) {\nthrow new Error('No luck.');"),
      1,
    ),
  ).toMatch(/No luck\./);
  writeFileSync(module('prune'), prune);
  const schema = join(folder, 'kinds', 'prune.schema.json');
  const said = readFileSync(schema, 'utf8');
  writeFileSync(schema, said.replace('"version": 1', '"version": 0'));
  const refused = await run();
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /prune\.schema\.json is not that of a stage at stage\.version: it must be >= 1/,
  );
  writeFileSync(schema, said);
  rmSync(module('prune'));
  const gone = await run();
  expect(gone.code).not.toBe(0);
  expect(gone.stdout + gone.stderr).toMatch(/module \.\/kinds\/prune\.ts cannot be read/);
});
