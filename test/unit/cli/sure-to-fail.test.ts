import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkProspects } from '../../../cli/sure-to-fail.ts';
import { compile, type Diagnostic, PipelineError } from '../../../compiler/index.ts';
import { foresee } from '../../../runtime/foresight.ts';
import { edit, tiny, withMatrix } from '../compiler/pipelines.ts';

async function failures(text: string): Promise<readonly Diagnostic[]> {
  const { plan } = compile(text, { file: 'x.yaml' });
  try {
    await checkProspects(plan, 'x.yaml');
    return [];
  } catch (error) {
    if (error instanceof PipelineError) return error.diagnostics;
    throw error;
  }
}

describe('what is sure to fail is told before a run, at its stage, with a cure', () => {
  test.each<[string, string, number, RegExp]>([
    [
      'a batch larger than the data',
      edit(tiny, 'batchSize: 50', 'batchSize: 9000'),
      12,
      /batchSize is 9000, but .* 7996/,
    ],
    [
      'more examples than there are',
      edit(tiny, 'name: mnist-digits', 'name: mnist-digits\n      examples: 9000'),
      8,
      /examples is 9000, but the training set has only 7996/,
    ],
    [
      'patches that do not tile the images',
      edit(tiny, '{ name: mlp }', '{ name: transformer, patch: 5 }'),
      12,
      /Patches of 5x5 pixels do not tile images of 28x28/,
    ],
    [
      'a pool that leaves nothing',
      edit(tiny, '{ name: mlp }', '{ name: custom, layers: [{ kind: pool, size: 30, padding: valid }] }'),
      12,
      /30x30 without padding does not fit/,
    ],
    [
      'layers that do not fit together',
      edit(tiny, '{ name: mlp }', '{ name: custom, layers: [{ kind: dense, units: 3 }] }'),
      12,
      /a dense layer takes a vector/,
    ],
  ])('%s', async (_name, text, line, message) => {
    const [first, ...more] = await failures(text);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ severity: 'error', code: 'sure-to-fail', line, column: 3 });
    expect(first!.message).toMatch(message);
    expect(first!.cure).toBeDefined();
  });

  test('in many cells, once', async () => {
    const found = await failures(withMatrix('batchSize: { range: [7001, 8100] }'));
    expect(found).toHaveLength(1);
    expect(found[0]!.message).toMatch(/batchSize is 7997.* in cell `batchSize=7997` and 103 more/);
  });

  test('nothing of a sound pipeline', async () => {
    expect(await failures(tiny)).toEqual([]);
  });
});

test('the files of a data set are digested once, however many cells use them', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'])
    writeFileSync(path.join(folder, name), Buffer.alloc(40_000_000));
  const text = edit(
    withMatrix('batchSize: { range: [1, 300] }'),
    'name: mnist-digits',
    'name: mnist\n      path: .\n      testExamples: 0',
  );
  const { plan } = compile(text, { file: 'x.yaml' });
  const before = process.cpuUsage();
  const foresight = await foresee(plan, undefined, folder);
  const { user, system } = process.cpuUsage(before);
  expect(foresight).toHaveLength(900);
  // To digest 24 GB takes half a minute of any processor at the least.
  expect((user + system) / 1e6).toBeLessThan(15);
});

test('a folder of data that is not there is an error of the dry run', async () => {
  const text = edit(tiny, 'name: mnist-digits', 'name: cifar10\n      path: no-such-folder');
  const { plan } = compile(text, { file: 'x.yaml' });
  await expect(foresee(plan, undefined, '/')).rejects.toMatchObject({
    name: 'InputError',
    message: expect.stringContaining('/no-such-folder does not exist'),
    cure: expect.any(String),
  });
});
