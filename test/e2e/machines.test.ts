/** What commands with `--json` write, in success and in failure, against the schemas that document it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../cli/main.ts';
import { copyBundledHome } from '../bundled-home.ts';
import { until } from '../fixtures/local-study.ts';
import { epochal, freshHome, root, startEpochal } from './epochal.ts';

const schemas = join(root, 'schemas', 'output');
const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true });
for (const name of readdirSync(schemas)) ajv.addSchema(JSON.parse(readFileSync(join(schemas, name), 'utf8')));

function expectShape(name: string, stdout: string): unknown {
  const value: unknown = JSON.parse(stdout);
  const validate = ajv.getSchema(`output/${name}.schema.json`)!;
  expect(validate(value) ? [] : validate.errors, stdout.slice(0, 2000)).toEqual([]);
  return value;
}

const pipeline = (rates: string) => `version: 1
name: machines
params: { rate: 0.1 }
strategy: { matrix: { rate: [${rates}] }, maxParallel: 2 }
stages:
  data: { uses: dataset, with: { name: gaussian-mixture, examples: 50 } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp, hidden: [4] }
      epochs: 1
      optimizer: { name: sgd, learningRate: "\${{ params.rate }}" }
      batchSize: 10
collect:
  all: { uses: collect, with: { table: "\${{ cells.train.history }}", by: [rate] } }
report: { title: Machines, figures: [] }
`;

const place = freshHome();
const home = copyBundledHome(join(place.home, 'home'));
const file = (name: string) => join(place.home, name);
let ran: { code: number | null; stdout: string };
let studyId: string;
let another: string;

beforeAll(async () => {
  writeFileSync(file('good.yaml'), pipeline('0.1'));
  writeFileSync(file('diverging.yaml'), pipeline('0.1, 1e30'));
  writeFileSync(file('wrong.yaml'), pipeline('0.1').replace('epochs: 1', 'epochz: 1'));
  writeFileSync(file('warned.yaml'), pipeline('0.1').replace('rate: 0.1 }', 'rate: 0.1, unused: 1 }'));
  const before = await epochal(['run', file('warned.yaml'), '--json'], home);
  another = (JSON.parse(before.stdout) as { studyId: string }).studyId;
  ran = await epochal(['run', file('good.yaml'), '--json'], home);
  ({ studyId } = JSON.parse(ran.stdout) as { studyId: string });
});
afterAll(() => place.remove());

const withJson = (await createProgram()).commands
  .filter((command) => command.options.some(({ long }) => long === '--json'))
  .map((command) => command.name());

describe('in success', () => {
  test('run', () => {
    expect(ran.code).toBe(0);
    expect(expectShape('run', ran.stdout)).toMatchObject({ status: 'succeeded' });
  });

  const successes: Record<string, () => string[]> = {
    validate: () => ['validate', file('good.yaml'), file('warned.yaml')],
    plan: () => ['plan', file('good.yaml')],
    status: () => ['status'],
    list: () => ['list'],
    retry: () => ['retry', studyId],
    report: () => ['report', studyId],
    artifacts: () => ['artifacts', studyId],
    explain: () => {
      const cells = join(home, 'store', 'studies', studyId, 'cells');
      const record = JSON.parse(readFileSync(join(cells, readdirSync(cells)[0]!), 'utf8')) as {
        stages: Record<string, { outputs: Record<string, { sha256: string }> }>;
      };
      return ['explain', record.stages.train!.outputs.state!.sha256];
    },
    verify: () => ['verify', studyId],
    du: () => ['du'],
    gc: () => ['gc', '--older-than', '1w'],
    delete: () => ['delete', another, '--gc'],
    pin: () => ['pin', studyId, '--note', 'for the paper'],
    unpin: () => ['unpin', studyId],
    export: () => ['export', studyId, file('exported')],
    doctor: () => ['doctor'],
  };

  // `submit` needs a server elsewhere: see slurm.test.ts.
  test.each(withJson.filter((name) => !['run', 'submit'].includes(name)))('%s', async (name) => {
    const { code, stdout, stderr } = await epochal([...successes[name]!(), '--json'], home);
    expect(code, stderr).toBe(0);
    const schema = name === 'retry' ? 'run' : name;
    expectShape(schema, stdout);
  });

  test('a warning of `validate` and of `plan` has its place', async () => {
    const warning = { severity: 'warning', file: file('warned.yaml'), line: 3, column: 22 };
    const validated = await epochal(['validate', file('warned.yaml'), '--json'], home);
    expect(JSON.parse(validated.stdout)).toMatchObject([{ valid: true, diagnostics: [warning] }]);
    const planned = await epochal(['plan', file('warned.yaml'), '--json'], home);
    expect(JSON.parse(planned.stdout)).toMatchObject({ warnings: [warning] });
  });

  test('`status --watch` gives the status once the study has ended', async () => {
    const { code, stdout } = await epochal(['status', '--watch', '--json'], home);
    expect(code).toBe(0);
    expect(expectShape('status', stdout)).toMatchObject({ status: 'succeeded', running: false });
  });
});

describe('in failure', () => {
  test.each([
    ['plan', 'pipeline', 2, () => ['plan', file('wrong.yaml')]],
    ['run', 'pipeline', 2, () => ['run', file('wrong.yaml')]],
    ['plan of a file that is not there', 'input', 2, () => ['plan', file('absent.yaml')]],
    ['run without a server', 'environment', 1, () => ['run', file('good.yaml'), '--address', '127.0.0.1:9']],
    ['submit', 'input', 2, () => ['submit', file('good.yaml')]],
    ['status', 'input', 2, () => ['status', 'nonesuch']],
    ['list', 'usage', 2, () => ['list', '--stor', 'x']],
    [
      'list of a store that cannot be',
      'environment',
      1,
      () => ['list', '--store', join(file('good.yaml'), 'x')],
    ],
    ['retry', 'input', 2, () => ['retry', 'nonesuch']],
    ['report', 'input', 2, () => ['report', 'nonesuch']],
    ['report into a file', 'environment', 1, () => ['report', '--out', join(file('good.yaml'), 'x')]],
    ['artifacts', 'input', 2, () => ['artifacts', 'nonesuch']],
    ['explain', 'input', 2, () => ['explain', 'nonesuch']],
    ['verify', 'input', 2, () => ['verify', 'nonesuch']],
    ['du', 'usage', 2, () => ['du', 'nonesuch']],
    ['gc', 'usage', 2, () => ['gc', '--older-than', 'long']],
    ['delete', 'input', 2, () => ['delete', 'nonesuch']],
    ['delete of any', 'input', 2, () => ['delete', '']],
    ['pin', 'input', 2, () => ['pin', 'nonesuch']],
    ['unpin', 'input', 2, () => ['unpin', 'nonesuch']],
    ['export into a folder that is not empty', 'input', 2, () => ['export', studyId, place.home]],
    ['doctor', 'usage', 2, () => ['doctor', 'nonesuch']],
    ['validate', 'usage', 2, () => ['validate']],
    ['no such command', 'usage', 2, () => ['vlaidate']],
  ] as const)('%s', async (_, code, exit, args) => {
    const ended = await epochal([...args(), '--json'], home);
    expect(ended.code, ended.stderr).toBe(exit);
    expect(expectShape('error', ended.stdout)).toMatchObject({ error: { code } });
    expect(ended.stderr).not.toBe('');
  });

  test('every command is among them', () => {
    expect(withJson.sort()).toEqual([
      'artifacts',
      'delete',
      'doctor',
      'du',
      'explain',
      'export',
      'gc',
      'list',
      'pin',
      'plan',
      'report',
      'retry',
      'run',
      'status',
      'submit',
      'unpin',
      'validate',
      'verify',
    ]);
  });

  test('mistakes of a pipeline have their places', async () => {
    const diagnostic = { severity: 'error', file: file('wrong.yaml'), line: 12, column: 7 };
    const planned = await epochal(['plan', file('wrong.yaml'), '--json'], home);
    expect(JSON.parse(planned.stdout)).toMatchObject({ error: { diagnostics: [diagnostic] } });
    const validated = await epochal(['validate', file('wrong.yaml'), file('absent.yaml'), '--json'], home);
    expect(validated.code).toBe(2);
    expect(expectShape('validate', validated.stdout)).toMatchObject([
      { valid: false, diagnostics: [diagnostic], error: { code: 'pipeline' } },
      { valid: false, diagnostics: [], error: { code: 'input' } },
    ]);
  });

  test('a study with a failed cell is a result', async () => {
    const ended = await epochal(['run', file('diverging.yaml'), '--json'], home);
    expect(ended.code).toBe(1);
    const result = expectShape('run', ended.stdout);
    expect(result).toMatchObject({ status: 'failed', counts: { succeeded: 1, failed: 1 } });
    const status = await epochal(['status', '--json'], home);
    expect(expectShape('status', status.stdout)).toMatchObject({ failures: [{ cellId: 'rate=1e+30' }] });
    const list = await epochal(['list', '--json'], home);
    expect(expectShape('list', list.stdout)).toMatchObject([{ status: 'failed' }, { status: 'succeeded' }]);
  });

  test('a missing part is a result of `doctor`', async () => {
    const ended = await epochal(['doctor', '--json'], home, { TEMPORAL_BIN: '/nowhere/temporal' });
    expect(ended.code).toBe(1);
    expect(expectShape('doctor', ended.stdout)).toContainEqual(
      expect.objectContaining({ name: 'Temporal CLI', status: 'missing', cure: 'npm run setup' }),
    );
  });

  test('Ctrl-C is told, and before it that the study runs', async () => {
    writeFileSync(file('long.yaml'), pipeline('0.11').replace('epochs: 1', 'epochs: 1000000'));
    const running = startEpochal(['run', file('long.yaml'), '--json'], home);
    await running.until(/data: /);
    // On a busy machine a running cell may have no time left to answer: it is asked again.
    const status = await until(async () => {
      const shape = expectShape('status', (await epochal(['status', '--json'], home)).stdout);
      return (shape as { live: readonly unknown[] }).live.length > 0 && shape;
    });
    expect(status).toMatchObject({
      status: 'running',
      cells: 1,
      ended: 0,
      progress: { running: [{ cellId: 'rate=0.11' }] },
      live: [{ cellId: 'rate=0.11' }],
    });
    const list = await epochal(['list', '--json'], home);
    expect(expectShape('list', list.stdout)).toMatchObject([
      { name: 'machines', status: 'running' },
      { status: 'failed' },
      { status: 'succeeded' },
    ]);
    running.child.kill('SIGINT');
    const ended = await running.finished;
    expect(ended.code).toBe(130);
    expect(expectShape('error', ended.stdout)).toMatchObject({ error: { code: 'interrupted' } });
  });
});

describe('validate --format github', () => {
  test('marks the places, and nothing else stands on standard output', async () => {
    const { code, stdout, stderr } = await epochal(
      ['validate', file('wrong.yaml'), file('good.yaml'), '--format', 'github'],
      home,
      { GITHUB_WORKSPACE: place.home },
    );
    expect(code).toBe(2);
    expect(stdout).toMatch(/^::error file=wrong\.yaml,line=12,col=7,.*title=.*::.*epochz.*%0A.*epochs.*$/m);
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^::(error|warning) /);
    expect(stderr).toMatch(/valid .*good\.yaml/);
  });

  test('does not go with --json', async () => {
    const ended = await epochal(['validate', file('good.yaml'), '--format', 'github', '--json'], home);
    expect(ended.code).toBe(2);
    expectShape('error', ended.stdout);
  });
});
