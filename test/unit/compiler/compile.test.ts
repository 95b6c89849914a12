import { describe, expect, it } from 'vitest';
import { compile, formatDiagnostic, type Plan, planDigest, toMermaid } from '../../../compiler/index.ts';
import { edit, errorsOf, planOf, sweep, tiny, warningsOf, withMatrix, withOf } from './pipelines.ts';

const output = (stage: string, name: string, kind: string) => ({ $output: { stage, output: name, kind } });

describe('a pipeline without a matrix', () => {
  const plan = planOf(tiny);

  it('has one cell', () => {
    expect(plan.cells.map(({ id, axes, params }) => ({ id, axes, params }))).toEqual([
      { id: 'main', axes: {}, params: { batchSize: 50, rate: 0.1, size: 'small' } },
    ]);
    expect(plan).not.toHaveProperty('maxParallel');
    expect(plan).toMatchObject({ axes: [], failFast: false, minSuccess: 1 });
  });

  it('evaluates `with`, fills defaults in and leaves artifacts as references', () => {
    expect(withOf(tiny)).toEqual({
      data: output('data', 'train', 'dataset'),
      model: { name: 'mlp', hidden: [64], activation: 'relu', initialization: 'glorot-normal' },
      epochs: 3,
      batchSize: 50,
      optimizer: { name: 'sgd', learningRate: 0.1, decay: 1, momentum: 0, schedule: { name: 'constant' } },
      sampling: 'without-replacement',
      loss: 'cross-entropy',
      l2: 0,
      standardize: 'per-image',
      seed: 0,
    });
  });

  it('plans each stage', () => {
    expect(
      plan.cells[0]!.stages.map(({ name, needs, outputs, line }) => ({ name, needs, outputs, line })),
    ).toEqual([
      { name: 'data', needs: [], outputs: { train: 'dataset', test: 'dataset' }, line: 8 },
      { name: 'train', needs: ['data'], outputs: { state: 'state', history: 'history' }, line: 12 },
      {
        name: 'record',
        needs: ['train'],
        outputs: { trajectory: 'trajectory', mean: 'state', state: 'state' },
        line: 20,
      },
    ]);
    expect(plan.cells[0]!.stages[1]).toMatchObject({
      resources: { threads: 1, gpu: 0 },
      retry: { attempts: 3 },
      timeoutMs: 24 * 3600 * 1000,
    });
  });

  it('draws what its outputs allow', () => {
    expect(plan.report).toEqual({
      title: 'tiny',
      figures: [
        {
          kind: 'training-curves',
          from: { scope: 'cell', stage: 'train', output: 'history', kind: 'history' },
        },
      ],
    });
  });
});

describe('the example of the language', () => {
  const plan = planOf(sweep);

  it('has its cells', () => {
    expect(plan.cells).toHaveLength(4 * 5 - 1 + 1);
    expect(plan.cells.map(({ id }) => id)).toContain('batchSize=75,seed=3,epochs=150');
    expect(plan.cells.map(({ id }) => id)).not.toContain('batchSize=125,seed=5,epochs=250');
    expect(plan.cells.at(-1)).toMatchObject({
      id: 'batchSize=200,seed=1,epochs=400',
      axes: { batchSize: 200, seed: 1, epochs: 400 },
      params: { batchSize: 200, learningRate: 0.005, momentum: 0.9, seed: 1, epochs: 400 },
    });
  });

  it('runs each stage after what it needs, whatever the order in the file', () => {
    const names = plan.cells[0]!.stages.map(({ name }) => name);
    expect(names).toEqual(['data', 'train', 'record', 'hessian', 'project', 'analyze', 'fit']);
  });

  it('takes settings of stages and strategy', () => {
    expect(plan).toMatchObject({ maxParallel: 8, failFast: false, minSuccess: 0.9 });
    expect(plan.cells[0]!.stages[1]).toMatchObject({
      resources: { threads: 1, gpu: 1 },
      retry: { attempts: 5 },
      timeoutMs: 12 * 3600 * 1000,
      with: { l2: 0.0001, epochs: 100 },
    });
  });

  it('collects over the cells', () => {
    expect(plan.collect).toEqual([
      {
        name: 'sweep',
        uses: 'collect',
        version: 1,
        table: { stage: 'fit', output: 'parameters', kind: 'parameters' },
        by: ['batchSize', 'seed'],
        outputs: { table: 'collection' },
        line: 38,
      },
    ]);
  });

  it('collects by all axes unless told otherwise', () => {
    expect(planOf(edit(sweep, ', by: [batchSize, seed]', '')).collect[0]!.by).toEqual([
      'batchSize',
      'seed',
      'epochs',
    ]);
  });

  it('has its figures', () => {
    const spectrum = { scope: 'cell', stage: 'analyze', output: 'spectrum', kind: 'spectrum' };
    expect(plan.report).toEqual({
      title: 'Variances at momentum 0.9',
      figures: [
        { kind: 'variance-spectrum', from: spectrum, caption: 'Both variances' },
        { kind: 'correlation-time', from: spectrum, fit: { stage: 'fit', output: 'parameters' } },
        { kind: 'collection', from: { scope: 'study', stage: 'sweep', output: 'table', kind: 'collection' } },
      ],
    });
  });

  it('finds figures by itself', () => {
    const { figures, title } = planOf(sweep.slice(0, sweep.indexOf('report:'))).report;
    expect(title).toBe('Weight and velocity variance against Hessian eigenvalue');
    expect(figures.map(({ kind, fit }) => [kind, fit?.stage])).toEqual([
      ['variance-spectrum', undefined],
      ['correlation-time', 'fit'],
      ['training-curves', undefined],
      ['collection', undefined],
    ]);
  });

  it('compiles without a warning', () => {
    expect(warningsOf(sweep)).toEqual([]);
  });
});

describe('a plan', () => {
  const frozenInDepth = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozenInDepth));

  it('is frozen in depth and survives JSON', () => {
    const plan = planOf(sweep);
    expect(frozenInDepth(plan)).toBe(true);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('has equal bytes for equal texts, wherever the file lies', () => {
    const [a, b] = ['/home/a/x.yaml', 'x.yaml'].map((file) => compile(sweep, { file }).plan) as [Plan, Plan];
    expect(JSON.stringify(a)).toBe(JSON.stringify(b));
    expect(planDigest(a)).toBe(planDigest(JSON.parse(JSON.stringify(b))));
    expect(planDigest(planOf(sweep, { momentum: '0.8' }))).not.toBe(planDigest(a));
  });

  it('compiles 2,000 cells in less than 3 seconds of one processor', () => {
    const before = process.cpuUsage();
    expect(planOf(edit(sweep, 'range: [1, 5]', 'range: [1, 500]')).cells).toHaveLength(2000);
    // The same work takes up to twice as long beside others that share the core.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(6);
  });
});

describe('overrides', () => {
  it('change defaults', () => {
    expect(planOf(tiny, { batchSize: '100', size: '12' }).params).toEqual({
      batchSize: 100,
      rate: 0.1,
      size: '12',
    });
    expect(withOf(tiny, 'train', { batchSize: '100' })).toMatchObject({ batchSize: 100 });
  });

  it('let a number stay a number of another sort', () => {
    expect(withOf(tiny, 'train', { rate: '1' })).toMatchObject({ optimizer: { learningRate: 1 } });
    expect(withOf(edit(tiny, 'rate: 0.1', 'rate: 1'), 'train', { rate: '5e-3' })).toMatchObject({
      optimizer: { learningRate: 0.005 },
    });
  });

  it('pin an axis', () => {
    const ids = (overrides: Record<string, string>) => planOf(sweep, overrides).cells.map(({ id }) => id);
    expect(ids({ batchSize: '75', seed: '2' })).toEqual(['batchSize=75,seed=2,epochs=150']);
    expect(ids({ batchSize: '[50, 200]', seed: '1' })).toEqual([
      'batchSize=50,seed=1,epochs=100',
      'batchSize=200,seed=1,epochs=400',
    ]);
  });

  it('pin a zipped axis at its partners', () => {
    const text = withMatrix('batchSize: [10, 20]\nrate: [0.1, 0.2]\nzip: [[batchSize, rate]]');
    expect(planOf(text, { rate: '0.2' }).cells.map(({ id }) => id)).toEqual(['batchSize=20,rate=0.2']);
    expect(errorsOf(text, { rate: '0.3' })[0]!.message).toContain('none of the zipped values');
  });
});

describe('YAML', () => {
  it('may use anchors and merge keys', () => {
    const text = edit(
      edit(tiny, '    with:\n      data:', '    with: &training\n      data:'),
      '  record:',
      '  again:\n    uses: train\n    with:\n      <<: *training\n      seed: 7\n  record:',
    );
    expect(withOf(text, 'again')).toEqual({ ...withOf(text), seed: 7 });
    const [error] = errorsOf(edit(text, 'epochs: 3', 'epochs: many'));
    expect(`${error!.line}:${error!.column}`).toBe('17:15');
  });

  it('points into block scalars and at CRLF lines', () => {
    const folded = edit(tiny, 'epochs: 3', 'epochs: >-\n        ${{ 1 +\n        params.x }}');
    expect(errorsOf(folded)[0]).toMatchObject({ line: 19, column: 16, message: 'there is no param `x`' });
    const [error] = errorsOf(edit(tiny, 'epochs: 3', 'epochz: 3').replaceAll('\n', '\r\n'));
    expect(error).toMatchObject({ line: 17, column: 7 });
  });
});

describe('warnings', () => {
  it.each([
    ['a param that nothing uses', tiny, '6:3', 'nothing uses the param `size`'],
    [
      'an axis that nothing uses',
      withMatrix('seed: [1, 2]', edit(tiny, '  size: small\n', '')),
      '8:5',
      'nothing uses the axis `seed`',
    ],
    [
      'an exclude of nothing',
      withMatrix('batchSize: [1, 2]\nexclude: [{ batchSize: 3 }]', edit(tiny, '  size: small\n', '')),
      '9:15',
      'this excludes nothing',
    ],
    [
      'a division that drops a remainder',
      edit(edit(tiny, '  size: small\n', ''), 'epochs: 3', 'epochs: ${{ params.batchSize / 20 }}'),
      '16:19',
      'drops its remainder',
    ],
  ])('%s', (_, text, position, message) => {
    const warnings = warningsOf(text);
    expect(warnings.map(({ line, column }) => `${line}:${column}`)).toEqual([position]);
    expect(warnings[0]!.message).toContain(message);
  });
});

describe('formatDiagnostic', () => {
  const [error] = errorsOf(edit(tiny, 'epochs: 3', 'epochz: 3'));

  it('prints as compilers do', () => {
    expect(formatDiagnostic(error!)).toBe(
      [
        'pipelines/tiny.yaml:17:7 error: unknown key `epochz` in `stages.train.with`',
        '  16 |       model: { name: mlp }',
        '> 17 |       epochz: 3',
        '     |       ^^^^^^',
        '  18 |       batchSize: ${{ params.batchSize }}',
        '  did you mean `epochs`?',
      ].join('\n'),
    );
  });

  it('colours only what is asked for', () => {
    const sequence = String.fromCharCode(27);
    expect(formatDiagnostic(error!, { color: true })).toContain(`${sequence}[31m^^^^^^`);
    expect(
      formatDiagnostic(error!, { color: true }).replaceAll(new RegExp(`${sequence}\\[\\d+m`, 'g'), ''),
    ).toBe(formatDiagnostic(error!));
  });
});

describe('toMermaid', () => {
  it('draws stages, artifacts and collects', () => {
    const text = edit(tiny, 'uses: record', 'uses: record\n    needs: [data]');
    expect(toMermaid(planOf(text))).toBe(
      [
        'flowchart LR',
        '  subgraph cell["1 cell"]',
        '    stage_data["data (dataset)"]',
        '    stage_train["train"]',
        '    stage_record["record"]',
        '    stage_data -->|train| stage_train',
        '    stage_data -.-> stage_record',
        '    stage_train -->|state| stage_record',
        '  end',
        '',
      ].join('\n'),
    );
    expect(toMermaid(planOf(sweep))).toContain('stage_fit -->|parameters| collect_sweep');
  });
});
