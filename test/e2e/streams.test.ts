import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { epochal, freshHome, root } from './epochal.ts';

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ home: folder, remove } = freshHome());
});
afterEach(() => remove());

const large = join('pipelines', 'fig21-hyperparameters.yaml');

/** What a shell gives for a script in which `$EPOCHAL` is the command. */
function shell(script: string): Promise<{ codes: string; stdout: string; stderr: string }> {
  const program = `"${process.execPath}" "${join(root, 'cli', 'epochal.mjs')}"`;
  const child = spawn(
    'bash',
    ['-c', `epochal() { ${program} "$@"; }; ${script}; echo "\${PIPESTATUS[@]}" >&3`],
    {
      cwd: root,
      env: { ...process.env, EPOCHAL_HOME: join(folder, 'home'), NO_COLOR: '1', FOLDER: folder },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  const texts = ['', '', '', ''];
  for (const at of [1, 2, 3])
    child.stdio[at]!.on('data', (data: Buffer) => {
      texts[at]! += data;
    });
  return new Promise((done) => {
    child.once('close', () => done({ codes: texts[3]!.trim(), stdout: texts[1]!, stderr: texts[2]! }));
  });
}

describe('what a command says arrives whole', () => {
  test('in a pipe that is read slowly, as in a file', async () => {
    const { codes, stderr } = await shell(
      `epochal plan ${large} --json > "$FOLDER/file"; epochal plan ${large} --json | (read -r line; echo "$line"; until test -s "$FOLDER/file"; do :; done; cat) > "$FOLDER/pipe"`,
    );
    expect(codes, stderr).toBe('0 0');
    const [file, pipe] = ['file', 'pipe'].map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(file!.length).toBeGreaterThan(65_536);
    expect(pipe).toBe(file);
    expect(JSON.parse(pipe!)).toMatchObject({ plan: { name: 'fig21-hyperparameters' } });
  });

  test('on standard error too', async () => {
    const stages = Array.from({ length: 1500 }, (_, index) => `  stage-${index}: { uses: datasat }\n`);
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, `version: 1\nname: wrong\nstages:\n${stages.join('')}`);
    const { code, stderr } = await epochal(
      ['validate', ...Array<string>(20).fill(file)],
      join(folder, 'home'),
    );
    expect(code).toBe(2);
    expect(stderr.length).toBeGreaterThan(65_536);
    expect(stderr).toMatch(/nothing was run\.\n$/);
  });

  test('a plan that is longer than a string may be', async () => {
    const file = join(folder, 'large.yaml');
    writeFileSync(
      file,
      `version: 1\nname: large\nparams: { seed: 1, text: ${'x'.repeat(400_000)} }\nstrategy: { matrix: { seed: { range: [1, 1500] } } }\n` +
        'stages:\n  data: { uses: dataset, with: { name: gaussian-mixture, examples: 50, seed: "${{ params.seed }}" } }\n',
    );
    const { codes, stdout, stderr } = await shell(
      `epochal plan "$FOLDER/large.yaml" --json 2> "$FOLDER/warning" | tee >(tail -c 4 >&2) | wc -c`,
    );
    expect(codes, stderr).toBe('0 0 0');
    expect(Number(stdout)).toBeGreaterThan(2 ** 29);
    expect(stderr).toBe(']\n}\n');
  });
});

describe('a reader that goes away early', () => {
  test.each([
    ['plan --json', `plan ${large} --json`],
    ['plan', `plan ${large}`],
    ['schema', 'schema'],
    ['help', '--help'],
  ])('%s ends quietly', async (_, args) => {
    const { codes, stderr } = await shell(`epochal ${args} | head -1 > /dev/null`);
    expect(stderr).toBe('');
    expect(codes).toBe('0 0');
  });

  test('does not make a wrong pipeline right', async () => {
    writeFileSync(join(folder, 'wrong.yaml'), 'version: 1');
    const { codes } = await shell('epochal validate "$FOLDER/wrong.yaml" --json | true');
    expect(codes).toBe('2 0');
  });
});

describe('output that cannot be written is an error', () => {
  test.each([
    ['plan --json', `plan ${large} --json`],
    ['validate', 'validate pipelines/quickstart.yaml'],
    ['schema', 'schema'],
    ['help', '--help'],
    ['doctor', 'doctor'],
  ])('%s', async (_, args) => {
    const { codes, stderr } = await shell(`epochal ${args} > /dev/full`);
    expect(codes).toBe('1');
    expect(stderr).toMatch(/^error: .*no space left/);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('and so are errors that nobody can read', async () => {
    const { codes } = await shell('epochal validate pipelines/quickstart.yaml nope.yaml 2> /dev/full');
    expect(codes).toBe('2');
    const warned = join(folder, 'warned.yaml');
    writeFileSync(
      warned,
      'version: 1\nname: x\nparams: { unused: 1 }\nstages:\n  data: { uses: dataset, with: { name: mnist-digits } }\n',
    );
    expect((await shell(`epochal validate "${warned}" 2> /dev/full`)).codes).toBe('1');
  });

  test('also when the disk is full only before the last byte', async (context) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small tmpfs cannot be mounted without privileges');
    }
    try {
      const file = openSync(join(disk, 'schema.json'), 'w');
      const child = spawn(process.execPath, [join(root, 'cli', 'epochal.mjs'), 'schema'], {
        stdio: ['ignore', file, 'ignore'],
      });
      const code = await new Promise((done) => child.once('close', done));
      const { size } = JSON.parse(
        execFileSync('stat', ['-c', '{"size":%s}', join(disk, 'schema.json')], { encoding: 'utf8' }),
      ) as { size: number };
      expect(size).toBe(65_536);
      expect(code).toBe(1);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});
