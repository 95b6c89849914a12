import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { epochal, type Finished, freshHome, root } from './epochal.ts';

const run = promisify(execFile);
const pipeline = join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
const python = process.env.EPOCHAL_TEST_PYTHON;

interface ListedArtifact {
  readonly stage: string;
  readonly output: string;
  readonly kind: string;
  readonly sha256: string;
  readonly path: string;
}

async function artifactsOf(studyId: string, home: string): Promise<ListedArtifact[]> {
  const listed = await epochal(['artifacts', studyId, '--json'], home);
  expect(listed.stderr).toBe('');
  return (JSON.parse(listed.stdout) as { artifacts: ListedArtifact[] }).artifacts;
}

describe('a small study, from its YAML to its report', () => {
  const first = freshHome({ bundled: true });
  const second = freshHome({ bundled: true });
  let finished: Finished;
  let result: {
    readonly studyId: string;
    readonly status: string;
    readonly stagesRun: number;
    readonly stagesReused: number;
    readonly report: string;
    readonly results: readonly {
      readonly quantities: readonly { readonly name: string; readonly value: number }[];
    }[];
  };

  beforeAll(async () => {
    finished = await epochal(['run', pipeline, '--json'], first.home);
    expect(finished.code, finished.stderr + finished.stdout).toBe(0);
    result = JSON.parse(finished.stdout);
  });
  afterAll(() => {
    first.remove();
    second.remove();
  });

  test('runs every stage and writes the report', () => {
    expect(result).toMatchObject({ status: 'succeeded', stagesRun: 7, stagesReused: 0 });
    const html = readFileSync(result.report, 'utf8');
    expect(html).toContain('<svg');
    expect(html).toContain('Hessian eigenvalue');
  });

  test('names its results for machines, and a reuse names the same for people', async () => {
    const found = new Map(result.results[0]!.quantities.map((one) => [one.name, one]));
    expect(found.get('lambda_cross')).toMatchObject({
      stage: 'fit',
      error: expect.any(Number),
      theory: expect.any(Number),
      deviation: expect.any(Number),
    });
    expect([...found.keys()]).toEqual(
      expect.arrayContaining(['tau_sgd', 'train_loss', 'train_accuracy', 'test_loss', 'test_accuracy']),
    );
    const { stdout } = await epochal(['run', pipeline], first.home);
    const accuracy = 100 * found.get('test_accuracy')!.value;
    expect(stdout).toMatch(/succeeded in .*results\n {2}lambda_cross .*theory .*\n {2}tau_sgd .*theory /s);
    expect(stdout).toContain(`${Number(accuracy.toPrecision(3))} %`);
  });

  test('every artifact is read by pyarrow and DuckDB, and NumPy finds the same weight variances', async (context) => {
    if (python === undefined)
      context.skip('EPOCHAL_TEST_PYTHON is not set: no Python with pyarrow, NumPy and DuckDB');
    const listed = await epochal(['artifacts', result.studyId, '--json'], first.home);
    const file = join(first.home, 'artifacts.json');
    writeFileSync(file, listed.stdout);
    const { stdout } = await run(python!, [join(root, 'test', 'e2e', 'recompute.py'), file]);
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({
      artifacts: 11,
      kindsMatch: true,
      digestsMatch: true,
      duckdbCountsMatch: true,
      recordedSteps: 80,
      stepsAreConsecutive: true,
    });
    expect(seen.duckdbLargestEigenvalue).toBe(seen.largestEigenvalue);
    expect(seen.relativeDifference).toBeLessThan(1e-4);
  });

  test('a second identical run reuses every stage', async () => {
    const again = await epochal(['run', pipeline, '--json'], first.home);
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ stagesRun: 0, stagesReused: 7 });
  });

  test('a dry run says what would run, why, and what it may cost', async () => {
    const dry = await epochal(['plan', pipeline, '--json', '--set', 'recordEpochs=5'], first.home);
    expect(dry.code, dry.stderr).toBe(0);
    const { foresight } = JSON.parse(dry.stdout) as {
      foresight: {
        stage: string;
        action: string;
        why: string;
        estimate?: { seconds: number; bytes: number };
      }[];
    };
    const { data, train, record, fit } = Object.fromEntries(foresight.map((stage) => [stage.stage, stage]));
    expect([data!.action, train!.action, record!.action, fit!.action]).toEqual([
      'reuse',
      'reuse',
      'run',
      'run',
    ]);
    expect(record!.why).toMatch(/no result with these settings/);
    expect(fit!.why).toMatch(/made anew by analyze/);
    expect(record!.estimate!.seconds).toBeGreaterThan(0);
    expect(record!.estimate!.bytes).toBeGreaterThan(80 * 4 * 1000);
    const text = await epochal(['plan', pipeline, '--set', 'recordEpochs=5'], first.home);
    expect(text.stdout).toMatch(
      /About .* of computing, in proportion to earlier steps in this store\n.* of artifacts/,
    );
  });

  test('a changed parameter runs only what depends on it', async () => {
    const changed = await epochal(['run', pipeline, '--json', '--set', 'recordEpochs=5'], first.home);
    expect(changed.code, changed.stderr).toBe(0);
    expect(JSON.parse(changed.stdout)).toMatchObject({ stagesRun: 5, stagesReused: 2 });
  });

  test('another home gives equal digests of all artifacts', async () => {
    const other = await epochal(['run', pipeline, '--json'], second.home);
    expect(other.code, other.stderr).toBe(0);
    const digests = async (home: string) =>
      (await artifactsOf(result.studyId, home)).map(
        ({ stage, output, sha256 }) => `${stage}.${output} ${sha256}`,
      );
    expect(await digests(second.home)).toEqual(await digests(first.home));
  });

  test('a damaged artifact is found, told and computed again', async () => {
    const spectrum = (await artifactsOf(result.studyId, first.home)).find(
      ({ stage }) => stage === 'analyze',
    )!;
    const good = readFileSync(spectrum.path);
    const bad = Buffer.from(good);
    bad[bad.length >> 1]! ^= 1;
    writeFileSync(spectrum.path, bad);
    const verified = await epochal(['verify', result.studyId], first.home);
    expect(verified.code).toBe(1);
    expect(verified.stdout + verified.stderr).toContain(spectrum.sha256.slice(0, 12));
    const mended = await epochal(['run', pipeline, '--json'], first.home);
    expect(mended.code, mended.stderr).toBe(0);
    expect(JSON.parse(mended.stdout)).toMatchObject({ stagesRun: 1, stagesReused: 6 });
    expect(readFileSync(spectrum.path).equals(good)).toBe(true);
  });

  test('no checkpoint is left behind', () => {
    const checkpoints = join(first.home, 'store', 'checkpoints');
    expect(existsSync(checkpoints) ? readdirSync(checkpoints) : []).toEqual([]);
  });
});
