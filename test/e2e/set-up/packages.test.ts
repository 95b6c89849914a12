/** The packages as they are published, in a folder outside of the clone. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../../../packages/build.ts';
import { curvature, program } from '../../../packages/sources.ts';
import {
  eigenvaluesOf,
  perceptronLoss,
  secondDifferences,
} from '../../unit/science/oracle/own-perceptron.ts';
import { freshHome, root } from '../epochal.ts';
import { type InstalledPackage, takeOverSetUp, unpackInto } from './installed.ts';

const run = promisify(execFile);
const { home: place, remove } = freshHome();
afterAll(remove);

const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

function expectExact({ manifest }: InstalledPackage): void {
  expect(manifest.version).toBe(own.version);
  for (const [name, version] of Object.entries(manifest.dependencies))
    expect([name, version]).toEqual([name, own.dependencies[name]]);
}

describe('@epochal/curvature', () => {
  const folder = path.join(place, 'library');
  const programs = Array.from(
    readFileSync(path.join(root, 'docs', 'library.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g),
    ([, text = ''], index) => ({ name: `program${index + 1}.ts`, text }),
  );
  let installed: InstalledPackage;

  beforeAll(async () => {
    mkdirSync(folder);
    installed = await unpackInto(
      folder,
      '@epochal/curvature',
      await buildPackage(curvature, path.join(place, 'dist')),
    );
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    // The types of Node are for `console` alone.
    mkdirSync(path.join(folder, 'node_modules', '@types'));
    symlinkSync(
      path.join(root, 'node_modules', '@types', 'node'),
      path.join(folder, 'node_modules', '@types', 'node'),
    );
    for (const { name, text } of programs) writeFileSync(path.join(folder, name), text);
  });

  const typeCheck = async (name: string): Promise<string> => {
    const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
    const args = [...options, '--types', 'node', name];
    try {
      return (await run(path.join(root, 'node_modules', '.bin', 'tsc'), args, { cwd: folder })).stdout;
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };

  test('has TensorFlow.js as its one dependency, in the version of the project', () => {
    expectExact(installed);
    expect(Object.keys(installed.manifest.dependencies)).toEqual(['@tensorflow/tfjs-node']);
  });

  test.each(programs)(
    '$name of docs/library.md has its types and prints what it says',
    async ({ name, text }) => {
      expect(await typeCheck(name)).toBe('');
      const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', name], {
        cwd: folder,
      });
      const said = Array.from(text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), ([, words]) => words);
      expect(said.length).toBeGreaterThan(0);
      expect(stdout.trim().split('\n')).toEqual(said);
    },
  );

  test('has types that see a wrong argument', async () => {
    writeFileSync(path.join(folder, 'wrong.ts'), programs[0]!.text.replace('top: 3', "top: 'three'"));
    expect(await typeCheck('wrong.ts')).toMatch(
      /^wrong\.ts.*TS2322: Type 'string' is not assignable to type 'number'/,
    );
  });

  test('finds the eigenvalues of the dense Hessian of a network of one’s own', async () => {
    const text = `${programs[0]!.text}\nconsole.log(JSON.stringify([[...eigenvalues], [...residuals], outside.bound]));\n`;
    writeFileSync(path.join(folder, 'eigenvalues.ts'), text);
    const { stdout } = await run(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'eigenvalues.ts'],
      {
        cwd: folder,
      },
    );
    const [eigenvalues, residuals, bound] = JSON.parse(stdout.trim().split('\n').at(-1)!);
    const inputs = Float32Array.from({ length: 80 }, (_, i) => Math.sin(3 * i + 1));
    const labels = Array.from({ length: 40 }, (_, i) => i % 3);
    const weights = Float32Array.from({ length: 27 }, (_, i) => Math.cos(i));
    const exact = eigenvaluesOf(
      secondDifferences((theta) => perceptronLoss({ inputs, labels }, theta), weights),
    );
    expect(eigenvalues).toHaveLength(3);
    for (const [k, value] of eigenvalues.entries()) {
      expect(Math.abs(value - exact[k]!)).toBeLessThan(2e-6);
      expect(residuals[k]).toBeLessThan(1e-4 * exact[0]!);
    }
    expect(bound).toBeGreaterThan(exact[3]!);
  });
});

describe('epochal', () => {
  const folder = path.join(place, 'program');
  const epochal = async (...args: string[]) => {
    const env = { ...process.env, NO_COLOR: '1', EPOCHAL_HOME: path.join(folder, 'home') };
    return run('npx', ['--no', '--', 'epochal', ...args], { cwd: folder, env });
  };
  let installed: InstalledPackage;

  beforeAll(async () => {
    mkdirSync(folder);
    installed = await unpackInto(folder, 'epochal', await buildPackage(program, path.join(place, 'dist')));
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    copyFileSync(path.join(root, 'test', 'e2e', 'fixtures', 'small.yaml'), path.join(folder, 'small.yaml'));
    // As npm makes a program of it.
    chmodSync(path.join(installed.folder, 'cli', 'epochal.mjs'), 0o755);
    mkdirSync(path.join(folder, 'node_modules', '.bin'));
    symlinkSync(
      path.join('..', 'epochal', 'cli', 'epochal.mjs'),
      path.join(folder, 'node_modules', '.bin', 'epochal'),
    );
  });

  test('depends on what the project depends on', () => {
    expectExact(installed);
    expect(Object.keys(installed.manifest.dependencies)).toEqual(Object.keys(own.dependencies));
    expect(installed.manifest.optionalDependencies).toEqual(own.optionalDependencies);
  });

  test('says before its set-up what sets it up, and then does', async () => {
    await expect(epochal('validate', 'small.yaml')).rejects.toMatchObject({
      stderr: expect.stringMatching(/not set up yet[\s\S]*Run `npx epochal setup`;/),
    });
    takeOverSetUp(folder);
    await epochal('setup');
    const { stdout } = await epochal('doctor');
    expect(stdout).not.toMatch(/^missing/m);
    // Scripts of the user's own project keep their Node.
    expect(existsSync(path.join(folder, 'node_modules', '.bin', 'node'))).toBe(false);
  });

  test('says its version, validates and plans', async () => {
    expect((await epochal('--version')).stdout).toBe(`${own.version}\n`);
    expect((await epochal('validate', 'small.yaml')).stdout).toBe('valid small.yaml: 1 cell of 7 stages\n');
    expect((await epochal('plan', 'small.yaml')).stdout).toMatch(/1 cell, 7 stages: 7 to run/);
    await expect(epochal('validate', 'smal.yaml')).rejects.toMatchObject({
      stderr: expect.stringContaining('Did you mean small.yaml?'),
    });
  });

  test('without its optional packages has stores in folders, and says what one in S3 needs', async () => {
    const listing = epochal('list', '--store', 's3://bucket/a');
    await expect(listing).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/needs the AWS SDK[\s\S]*npm install @aws-sdk\/client-s3/),
    });
    expect((await epochal('list')).stdout).toMatch(/no studies in file:/);
  });

  test('runs a pipeline to its report', async () => {
    const { stdout } = await epochal('run', 'small.yaml', '--json');
    const { status, stagesRun, report } = JSON.parse(stdout);
    expect([status, stagesRun]).toEqual(['succeeded', 7]);
    expect(existsSync(path.resolve(folder, report))).toBe(true);
  });
  test('runs kinds of one’s own beside a pipeline', async () => {
    cpSync(path.join(root, 'docs', 'own-kinds'), path.join(folder, 'own-kinds'), { recursive: true });
    const { stdout } = await epochal('run', 'own-kinds/study.yaml', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', stagesRun: 5 });
  });
});
