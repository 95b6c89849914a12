import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { epochal, type Finished, freshHome } from './epochal.ts';

const good = `version: 1
name: wrong
params:
  rate: 0.05
stages:
  data:
    uses: dataset
    with: { name: mnist-digits, examples: 100, testExamples: 100 }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp, hidden: [4] }
      epochs: 1
      optimizer: { name: sgd, learningRate: "\${{ params.rate }}" }
      batchSize: 10
  record:
    uses: record
    with: { from: "\${{ stages.train.state }}", epochs: 1 }
`;

/** A recording with this setting, and principal components of its trajectory in line 20. */
const recording = (setting: string) =>
  `${good.replace('epochs: 1 }', `epochs: 1, ${setting} }`)}  pca: { uses: pca, with: { ` +
  'trajectory: "${{ stages.record.trajectory }}", at: "${{ stages.train.state }}", components: 2 } }\n';

let folder: string;
let home: string;
let remove: () => void;
beforeEach(() => {
  ({ home: folder, remove } = freshHome());
  home = join(folder, 'home');
});
afterEach(() => remove());

function write(text: string): string {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, text);
  return file;
}

/** One clear error: the message, no JavaScript traceback. */
function expectClear({ stderr, stdout }: Finished, pattern: RegExp): void {
  expect(stderr).toMatch(pattern);
  expect(stderr + stdout).not.toMatch(/^\s+at .*\(?.*:\d+:\d+\)?$/m);
  expect(stderr + stdout).not.toMatch(/node:internal|UnhandledPromise/);
}

describe('a wrong pipeline: file, line, column and cure; exit 2; nothing is written', () => {
  test.each([
    [
      'an unknown key',
      good.replace('batchSize: 10', 'batchsize: 10'),
      /wrong\.yaml:16:7.*batchsize[\s\S]*batchSize/,
    ],
    [
      'a wrong type',
      good.replace('epochs: 1\n      opt', 'epochs: many\n      opt'),
      /wrong\.yaml:14:15.*epochs/,
    ],
    ['a number out of range', good.replace('batchSize: 10', 'batchSize: 0'), /wrong\.yaml:16:18/],
    [
      'an unknown stage kind',
      good.replace('uses: record', 'uses: recrod'),
      /wrong\.yaml:18:11.*recrod[\s\S]*record/,
    ],
    [
      'a reference to an unknown stage',
      good.replace('stages.train.state', 'stages.trian.state'),
      /wrong\.yaml:19:.*trian[\s\S]*train/,
    ],
    [
      'a reference to a missing output',
      good.replace('train.state', 'train.weights'),
      /wrong\.yaml:19:.*weights[\s\S]*state/,
    ],
    [
      'an output of the wrong kind',
      good.replace('train.state', 'train.history'),
      /wrong\.yaml:19:.*history[\s\S]*state/,
    ],
    [
      'an output that a recording without a trajectory does not write',
      recording('keep: none'),
      /wrong\.yaml:20:.*stage `record` does not write `trajectory`[\s\S]*`keep: trajectory`/,
    ],
    [
      'components of every third step',
      recording('every: 3'),
      /wrong\.yaml:20:.*kept one of 3 steps, and velocities are differences[\s\S]*Record without `every`/,
    ],
    ['an unknown parameter', good.replace('params.rate', 'params.rtae'), /wrong\.yaml:15:.*rtae[\s\S]*rate/],
    [
      'a reference cycle',
      `${good}  again:\n    uses: record\n    with: { from: "\${{ stages.other.state }}", epochs: 1 }\n` +
        `  other:\n    uses: record\n    with: { from: "\${{ stages.again.state }}", epochs: 1 }\n`,
      /wrong\.yaml:2\d:[\s\S]*again[\s\S]*other/,
    ],
    [
      'a YAML syntax error',
      good.replace('{ name: mlp, hidden: [4] }', '{ name: mlp, hidden: [4 }'),
      /wrong\.yaml:13:/,
    ],
    ['tab indentation', good.replace('    uses: dataset', '\tuses: dataset'), /wrong\.yaml:7:[\s\S]*tab/i],
    [
      'a duplicate key',
      good.replace('epochs: 1\n      opt', 'epochs: 1\n      epochs: 2\n      opt'),
      /wrong\.yaml:15:7[\s\S]*epochs/,
    ],
    ['an empty file', '', /wrong\.yaml:1:1[\s\S]*empty/],
  ])('%s', async (_, text, pattern) => {
    const file = write(text);
    for (const command of ['validate', 'run']) {
      const finished = await epochal([command, file], home);
      expect(finished.code, finished.stderr).toBe(2);
      expectClear(finished, pattern);
    }
    expect(existsSync(home)).toBe(false);
    expect(readdirSync(folder)).toEqual(['wrong.yaml']);
  });

  test.each([
    ['a misspelled name', 'pipelines/quickstrat.yaml', 'pipelines/quickstart.yaml'],
    ['another ending', 'pipelines/quickstart.yml', 'pipelines/quickstart.yaml'],
    ['no ending and no folder', 'quickstart', 'pipelines/quickstart.yaml'],
    ['the beginning of a name', 'fig17', 'pipelines/fig17-19-lenet.yaml'],
    ['a misspelled folder', 'pipelnes/fig16-toy.yaml', 'pipelines/fig16-toy.yaml'],
    ['a path given as a folder', 'pipelines/fig16-toy/', 'pipelines/fig16-toy.yaml'],
  ])('a file that is not there: %s', async (_, given, meant) => {
    const finished = await epochal(['run', given], home);
    expect(finished.code).toBe(2);
    expectClear(
      finished,
      new RegExp(`There is no pipeline file ${given}\\.\n {2}Did you mean ${meant}\\?\n`),
    );
  });

  test('a file that is not there, beside one of nearly that name', async () => {
    const there = write(good);
    const finished = await epochal(['run', join(folder, 'worng.yaml')], home);
    expect(finished.code).toBe(2);
    expectClear(finished, new RegExp(`Did you mean ${there}\\?`));
  });

  test('a file that is like none, and a folder: what there is', async () => {
    expectClear(await epochal(['run', join(folder, 'nope.yaml')], home), /nope\.yaml[\s\S]*quickstart\.yaml/);
    const there = write(good);
    const inside = await epochal(['run', folder], home);
    expect(inside.code).toBe(2);
    expectClear(inside, new RegExp(`is a folder[^]*There are ${there}\\.`));
  });

  test('a file that is no text: the place of the first byte that is none', async () => {
    const file = join(folder, 'latin.yaml');
    writeFileSync(file, Buffer.from('version: 1\nname: caf\u00e9\n', 'latin1'));
    const finished = await epochal(['validate', file], home);
    expect(finished.code).toBe(2);
    expectClear(
      finished,
      /latin\.yaml:2:10 error: the byte 0xE9, number 21 of the file, is no UTF-8\n[\s\S]*save the file as UTF-8/,
    );
  });

  test('an unknown option and an unknown command', async () => {
    const option = await epochal(['run', write(good), '--stor', 'x'], home);
    expect(option.code).toBe(2);
    expectClear(option, /--stor[\s\S]*--store/);
    const command = await epochal(['vlaidate', 'x'], home);
    expect(command.code).toBe(2);
    expectClear(command, /vlaidate[\s\S]*validate/);
  });

  test('--set of an unknown parameter, and of a value of another type', async () => {
    const file = write(good);
    const unknown = await epochal(['run', file, '--set', 'rtae=1'], home);
    expect(unknown.code).toBe(2);
    expectClear(unknown, /rtae[\s\S]*rate/);
    const type = await epochal(['run', file, '--set', 'rate=fast'], home);
    expect(type.code).toBe(2);
    expectClear(type, /rate[\s\S]*number/);
  });
});

describe('wrong data', () => {
  const mnist = (path: string) =>
    good.replace(
      '{ name: mnist-digits, examples: 100, testExamples: 100 }',
      `{ name: mnist, path: ${path} }`,
    );

  test('a missing folder', async () => {
    const finished = await epochal(['run', write(mnist('./absent'))], home);
    expect(finished.code).toBe(2);
    expectClear(finished, /absent/);
  });

  test('a truncated file', async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    const images = Buffer.alloc(16 + 100);
    images.writeUInt32BE(0x803, 0);
    images.writeUInt32BE(60_000, 4);
    images.writeUInt32BE(28, 8);
    images.writeUInt32BE(28, 12);
    const labels = Buffer.alloc(8 + 60_000);
    labels.writeUInt32BE(0x801, 0);
    labels.writeUInt32BE(60_000, 4);
    for (const part of ['train', 't10k']) {
      writeFileSync(join(data, `${part}-images-idx3-ubyte`), images);
      writeFileSync(join(data, `${part}-labels-idx1-ubyte`), labels);
    }
    const finished = await epochal(['run', write(mnist('./data'))], home);
    expect(finished.code).toBe(2);
    expectClear(finished, /train-images-idx3-ubyte[\s\S]*(truncated|bytes)/);
  });
});

describe('a machine that cannot', () => {
  test('a store that cannot be written', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'a file, not a folder');
    const finished = await epochal(['run', write(good), '--store', join(file, 'store')], home);
    expect([1, 2]).toContain(finished.code);
    expectClear(finished, /store[\s\S]*(written|writable|folder)/);
  });

  test('a port in use', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as { port: number };
    const finished = await epochal(['server', '--port', String(port)], home);
    taken.close();
    expect(finished.code).toBe(1);
    expectClear(finished, new RegExp(`${port}[\\s\\S]*in use`));
  });

  test('no server at the address', async () => {
    const finished = await epochal(['run', write(good), '--address', '127.0.0.1:9'], home);
    expect(finished.code).toBe(1);
    expectClear(finished, /127\.0\.0\.1:9/);
  });

  test('a study whose plan is longer than a record can be, before anything starts', async () => {
    const params = `params:\n  note: ${'x'.repeat(900_000)}\n`;
    const matrix = 'strategy: { matrix: { seed: { range: [1, 700] } } }\n';
    const finished = await epochal(
      ['run', write(good.replace('params:\n', params).replace('stages:', `${matrix}stages:`))],
      home,
    );
    expect(finished.code).toBe(2);
    expectClear(finished, /plan of these 700 cells is longer than \d+ MB[\s\S]*Split the matrix/);
    expect(finished.stdout).toBe('');
    expect(existsSync(join(home, 'store')) || existsSync(join(home, 'logs'))).toBe(false);
  });

  test('a full disk', async (context) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small tmpfs cannot be mounted without privileges');
    }
    try {
      const finished = await epochal(['run', write(good), '--store', join(disk, 'store')], home);
      expect(finished.code).toBe(1);
      expectClear(finished, /full|no space/i);
      const left = execFileSync('find', [disk, '-name', '*tmp*'], { encoding: 'utf8' });
      expect(left).toBe('');
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});
