import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkProspects } from '../../../cli/checks/sure-to-fail.ts';
import { compile, type Diagnostic, PipelineError } from '../../../compiler/index.ts';
import { foresee } from '../../../runtime/cost/foresight.ts';
import { edit, tiny, withMatrix } from '../compiler/pipelines.ts';
import { folderOf, idx } from '../datasets/files.ts';

async function failures(text: string, baseDirectory?: string): Promise<readonly Diagnostic[]> {
  const { plan } = compile(text, { file: 'x.yaml' });
  try {
    await checkProspects(plan, 'x.yaml', baseDirectory);
    return [];
  } catch (error) {
    if (error instanceof PipelineError) return error.diagnostics;
    throw error;
  }
}

/** A pipeline of a small network on few examples, then these stages. */
const small = (...stages: readonly string[]) => `version: 1
name: small
stages:
  data: { uses: dataset, with: { name: gaussian-mixture, examples: 50, testExamples: 0, dimension: 3, classes: 2 } }
  train:
    uses: train
    with:
      data: "\${{ stages.data.train }}"
      model: { name: linear }
      epochs: 1
      optimizer: { name: sgd, learningRate: 0.05 }
      batchSize: 10
  record: { uses: record, with: { from: "\${{ stages.train.state }}", epochs: 1 } }
${stages.map((stage) => `  ${stage}\n`).join('')}`;

const state = '"${{ stages.train.state }}"';
const trainData = '"${{ stages.data.train }}"';

describe('what is sure to fail is told before a run, at the setting that is to blame, with a cure', () => {
  test.each<[string, string, string, RegExp]>([
    [
      'a batch larger than the data',
      edit(tiny, 'batchSize: 50', 'batchSize: 9000'),
      '${{ params.batchSize }}',
      /batchSize is 9000, but .* 7996/,
    ],
    [
      'more examples than there are',
      edit(tiny, 'name: mnist-digits', 'name: mnist-digits\n      examples: 9000'),
      '9000',
      /examples is 9000, but the training set has only 7996/,
    ],
    [
      'patches that do not tile the images',
      edit(tiny, '{ name: mlp }', '{ name: transformer, patch: 5 }'),
      '{ name: transformer',
      /Patches of 5x5 pixels do not tile images of 28x28/,
    ],
    [
      'a pool that leaves nothing',
      edit(tiny, '{ name: mlp }', '{ name: custom, layers: [{ kind: pool, size: 30, padding: valid }] }'),
      '{ name: custom',
      /30x30 without padding does not fit/,
    ],
    [
      'layers that do not fit together',
      edit(tiny, '{ name: mlp }', '{ name: custom, layers: [{ kind: dense, units: 3 }] }'),
      '{ name: custom',
      /a dense layer takes a vector/,
    ],
    [
      'no folder for data that need one',
      edit(tiny, 'name: mnist-digits', 'name: image-folder'),
      'image-folder',
      /image-folder needs the folder/,
    ],
    [
      'a test on no examples',
      edit(small(), 'epochs: 1', 'test: "${{ stages.data.test }}"\n      epochs: 1'),
      '"${{ stages.data.test }}"',
      /This set has no examples/,
    ],
    [
      'more eigenpairs than weights',
      small(`hessian: { uses: hessian, with: { at: ${state}, top: 99 } }`),
      '99',
      /top is 99, but the network has only 8 weights/,
    ],
    [
      'more eigenpairs than products',
      small(`hessian: { uses: hessian, with: { at: ${state}, top: 7, maxIterations: 6 } }`),
      '6',
      /maxIterations is 6, but 7 eigenpairs take at least as many products/,
    ],
    [
      'a Hessian of more examples than there are',
      small(`hessian: { uses: hessian, with: { at: ${state}, top: 2, examples: 51 } }`),
      '51',
      /examples is 51, but there are only 50 training examples/,
    ],
    [
      'too little memory',
      edit(
        edit(
          small(`hessian: { uses: hessian, with: { at: ${state}, top: 8, memory: 1MB } }`),
          'linear',
          'mlp',
        ),
        'name: mlp',
        'name: mlp, hidden: [9000]',
      ),
      '1MB',
      /memory is 1MB/,
    ],
    [
      'more components than steps',
      small(
        'pca: { uses: pca, with: { trajectory: "${{ stages.record.trajectory }}", at: "${{ stages.record.mean }}", components: 44 } }',
      ),
      '44',
      /components is 44; 5 recorded steps of 8 weights have at most 3/,
    ],
    [
      'an evaluation on other images',
      small(
        'other: { uses: dataset, with: { name: gaussian-mixture, dimension: 4, classes: 2 } }',
        `evaluate: { uses: evaluate, with: { state: ${state}, data: "\${{ stages.other.test }}" } }`,
      ),
      '"${{ stages.other.test }}"',
      /The examples are 1 x 4 x 1 images .* trained on 1 x 3 x 1/,
    ],
    [
      "another network's basis",
      small(
        `wide: { uses: train, with: { data: ${trainData}, model: { name: mlp }, epochs: 1, optimizer: { name: sgd, learningRate: 0.1 }, batchSize: 10 } }`,
        'hessian: { uses: hessian, with: { at: "${{ stages.wide.state }}", top: 2 } }',
        'project: { uses: project, with: { trajectory: "${{ stages.record.trajectory }}", basis: "${{ stages.hessian.eigenpairs }}" } }',
      ),
      '"${{ stages.hessian.eigenpairs }}"',
      /The trajectory has 8 weights, the basis vectors have 386/,
    ],
    [
      'a trajectory to thin out that is not kept',
      small(`again: { uses: record, with: { from: ${state}, epochs: 1, keep: none, every: 3 } }`),
      '3 }',
      /every is 3, but with these settings no trajectory is kept/,
    ],
    [
      'velocities of a trajectory that was thinned out',
      small(
        `again: { uses: record, with: { from: ${state}, epochs: 1, every: 3 } }`,
        `hessian: { uses: hessian, with: { at: ${state}, top: 2 } }`,
        'project: { uses: project, with: { trajectory: "${{ stages.again.trajectory }}", basis: "${{ stages.hessian.eigenpairs }}" } }',
        'analyze: { uses: analyze, with: { series: "${{ stages.project.series }}" } }',
      ),
      '"${{ stages.project.series }}"',
      /kept one of 3 steps, and velocities are differences of consecutive ones/,
    ],
    [
      'components of a trajectory that was thinned out',
      small(
        `again: { uses: record, with: { from: ${state}, epochs: 1, every: 3 } }`,
        `pca: { uses: pca, with: { trajectory: "\${{ stages.again.trajectory }}", at: ${state}, components: 1 } }`,
      ),
      '"${{ stages.again.trajectory }}"',
      /kept one of 3 steps/,
    ],
    [
      'an analysis of a sketch',
      small(
        `again: { uses: record, with: { from: ${state}, epochs: 1, sketch: { size: 4 } } }`,
        'analyze: { uses: analyze, with: { series: "${{ stages.again.sketch }}" } }',
      ),
      '"${{ stages.again.sketch }}"',
      /This series is a random sketch/,
    ],
    [
      "a recording onto another network's basis",
      small(
        `wide: { uses: train, with: { data: ${trainData}, model: { name: mlp }, epochs: 1, optimizer: { name: sgd, learningRate: 0.1 }, batchSize: 10 } }`,
        'hessian: { uses: hessian, with: { at: "${{ stages.wide.state }}", top: 2 } }',
        `again: { uses: record, with: { from: ${state}, epochs: 1, onto: "\${{ stages.hessian.eigenpairs }}" } }`,
      ),
      '"${{ stages.hessian.eigenpairs }}"',
      /The trajectory has 8 weights, the basis vectors have 386/,
    ],
    [
      'noise of nothing',
      small('noise: { uses: noise, with: { epochs: 2 } }'),
      'noise',
      /takes either `from`/,
    ],
    [
      'noise of fresh weights without a batch',
      small(`noise: { uses: noise, with: { data: ${trainData}, model: { name: linear }, epochs: 2 } }`),
      trainData,
      /needs a `batchSize`/,
    ],
    [
      'noise in an epoch of one batch',
      small(`noise: { uses: noise, with: { from: ${state}, batchSize: 26, epochs: 2 } }`),
      '26',
      /batchSize is 26 and there are 50 examples: an epoch of one batch has no noise/,
    ],
    [
      'noise of a network with batch normalization',
      small(
        'images: { uses: dataset, with: { name: mnist-digits } }',
        'noise: { uses: noise, with: { data: "${{ stages.images.train }}", model: { name: resnet20 }, batchSize: 5, epochs: 2 } }',
      ),
      '{ name: resnet20 }',
      /batch normalization/,
    ],
    [
      'noise along an eigenvector that is not there',
      small(
        `hessian: { uses: hessian, with: { at: ${state}, top: 2 } }`,
        `noise: { uses: noise, with: { from: ${state}, basis: "\${{ stages.hessian.eigenpairs }}", along: [2], epochs: 2 } }`,
      ),
      '[2]',
      /along names eigenvector 2, but the basis has 2/,
    ],
    [
      'noise along eigenvectors of nothing',
      small(`noise: { uses: noise, with: { from: ${state}, along: [2], epochs: 2 } }`),
      '[2]',
      /there is no `basis`/,
    ],
    [
      'a quadratic toy without eigenvalues',
      small('toy: { uses: toy, with: { loss: { name: quadratic }, learningRate: 0.1, epochs: 2 } }'),
      '{ name: quadratic }',
      /takes either `eigenvalues` or a `range`/,
    ],
    [
      'a toy that starts nowhere',
      small(
        'toy: { uses: toy, with: { loss: { name: quadratic, eigenvalues: [1] }, start: [1, 2], learningRate: 0.1, epochs: 2 } }',
      ),
      '[1, 2]',
      /start has 2 values, the loss has 1 weights/,
    ],
    [
      'noise of examples in a valley',
      small(
        'toy: { uses: toy, with: { loss: { name: valley }, noise: { name: examples }, learningRate: 0.1, epochs: 2 } }',
      ),
      '{ name: examples }',
      /Noise of examples is for a quadratic loss/,
    ],
  ])('%s', async (_name, text, blamed, message) => {
    const [first, ...more] = await failures(text);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ severity: 'error', code: 'sure-to-fail' });
    const from = text.split('\n')[first!.line - 1]!.slice(first!.column - 1);
    expect(from.slice(0, blamed.length)).toBe(blamed);
    expect(first!.message).toMatch(message);
    expect(first!.cure).toBeDefined();
  });

  test('fewer eigenpairs than asked for, where they are allowed', async () => {
    const text = small(`hessian: { uses: hessian, with: { at: ${state}, top: 99, partial: allow } }`);
    expect(await failures(text)).toEqual([]);
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

test('what outside data decide is an error of the dry run, which looks at them', async () => {
  const folder = folderOf({ 'own/train-images-idx3-ubyte': idx([30, 2, 5], new Uint8Array(300)) });
  const own = edit(tiny, 'name: mnist-digits', 'name: mnist\n      path: own\n      testExamples: 0');
  expect(await failures(own)).toEqual([]);
  const [tooLarge] = await failures(own, folder);
  expect(tooLarge!.message).toMatch(/stage `train` .*batchSize is 50, but there are only 30/);
  const text = edit(tiny, 'name: mnist-digits', 'name: cifar10\n      path: no-such-folder');
  expect(await failures(text)).toEqual([]);
  const [missing] = await failures(text, folder);
  expect(missing).toMatchObject({ line: 12, cure: expect.any(String) });
  expect(missing!.message).toMatch(/no-such-folder does not exist/);
  // The same settings in cells whose data lie elsewhere are other examples.
  const cells = withMatrix('where: [own, no-such-folder]');
  const both = edit(
    cells,
    'name: mnist-digits',
    'name: mnist\n      path: ${{ params.where }}\n      testExamples: 0',
  );
  const found = await failures(edit(both, 'batchSize: 50', 'batchSize: 5'), folder);
  expect(found.map(({ message: text }) => text)).toEqual([
    expect.stringMatching(/no-such-folder does not exist.* in cell `where=no-such-folder`$/),
  ]);
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
