import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, diagnosticCodes } from '../../../compiler/index.ts';
import { edit, errorsOf, planOf, tiny, withOf } from './pipelines.ts';

const docs = path.join(import.meta.dirname, '..', '..', '..', 'docs');
const language = readFileSync(path.join(docs, 'language.md'), 'utf8');

describe('docs/language.md', () => {
  it.each(Array.from(language.matchAll(/```yaml\n(.*?)```/gs), (match) => match[1]!))(
    'has an example that is a sound pipeline',
    (text) => {
      expect(compile(text, { file: 'pipelines/example.yaml' }).warnings).toEqual([]);
    },
  );

  it('has an example of null that falls back to the default', () => {
    const example = /`(examples: '[^`]+)`/.exec(language)?.[1];
    const text = edit(tiny, '      name: mnist-digits\n', `      name: mnist-digits\n      ${example}\n`);
    expect(withOf(text, 'data', { size: 'paper' })).toMatchObject({ examples: 5000 });
    expect(planOf(text).cells[0]!.stages[0]!.with).not.toHaveProperty('examples');
  });

  const mistakes = Array.from(
    language.matchAll(/^\| (`[^|]+`[^|]*|a tab[^|]*) \| ([^|]+) \|$/gm),
    (match) => ({
      wrote: match[1]!,
      says: match[2]!,
    }),
  );
  const swaps: Readonly<Record<string, readonly [string, string]>> = {
    'batchsize: 10': ['batchSize: ${{ params.batchSize }}', 'batchsize: 10'],
    'data: stages.data.train': ['data: ${{ stages.data.train }}', 'data: stages.data.train'],
    '${{ matrix.seed }}': ['epochs: 3', 'epochs: ${{ matrix.batchSize }}'],
    '${{ stages.train.weights }}': ['stages.train.state', 'stages.train.weights'],
    'from: ${{ stages.train.history }}': ['stages.train.state', 'stages.train.history'],
    '${{ params.lr ** 2 }}': ['epochs: 3', 'epochs: ${{ params.rate ** 2 }}'],
    'a tab': ['    uses: record', '\tuses: record'],
  };

  it.each(mistakes)('says what comes of $wrote', ({ wrote, says }) => {
    const [from, to] = Object.entries(swaps).find(([mistake]) => wrote.includes(mistake))?.[1] ?? [];
    expect(from, `a pipeline with the mistake ${wrote}`).toBeDefined();
    const [first] = errorsOf(edit(tiny, from!, to!));
    const said = `${first!.message}. ${first!.cure}`.replaceAll('`', '');
    // The names of the example differ; what stands in code and is no name of it has to be said.
    for (const [, code] of says.matchAll(/`([^`]+)`/g))
      if (!/^params\.seed$|^\$\{\{|^from$/.test(code!)) expect(said).toContain(code);
    expect(first!.cure).toBeDefined();
  });

  it('has as many mistakes as its table has rows', () => {
    expect(mistakes.length).toBe(Object.keys(swaps).length);
  });
});

it('docs/diagnostics.md has each code with its meaning, and no other', () => {
  const table = Array.from(
    readFileSync(path.join(docs, 'diagnostics.md'), 'utf8').matchAll(/^\| `(.+?)` \| (.+) \|$/gm),
  );
  expect(Object.fromEntries(table.map(([, code, meaning]) => [code, meaning]))).toEqual(diagnosticCodes);
});
