import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edit, planOf, tiny, withMatrix } from '../pipelines.ts';

const ids = (matrix: string, overrides: Record<string, string> = {}) =>
  planOf(withMatrix(matrix), overrides).cells.map(({ id }) => id);

describe('axes', () => {
  it('combine, the first one slowest', () => {
    expect(ids('batchSize: [1, 2]\nrate: [0.1, 0.2]')).toEqual([
      'batchSize=1,rate=0.1',
      'batchSize=1,rate=0.2',
      'batchSize=2,rate=0.1',
      'batchSize=2,rate=0.2',
    ]);
  });

  it.each([
    ['{ range: [1, 4] }', [1, 2, 3, 4]],
    ['{ range: [10, 0, -5] }', [10, 5, 0]],
    ['{ range: [0.1, 0.5, 0.1] }', [0.1, 0.2, 0.3, 0.4, 0.5]],
    ['{ range: [1, 2, 0.4] }', [1, 1.4, 1.8]],
    ['{ range: [1, "${{ params.batchSize / 25 }}"] }', [1, 2]],
    ['${{ [1, 2].map(n, n * params.batchSize) }}', [50, 100]],
    ['[1, "${{ params.batchSize }}"]', [1, 50]],
  ])('%s has the values %j', (axis, expected) => {
    expect(planOf(withMatrix(`axis: ${axis}`)).cells.map(({ axes }) => axes.axis)).toEqual(expected);
  });

  it('may depend on axes above them', () => {
    expect(ids('batchSize: [10, 20]\nrate: { range: ["${{ params.batchSize }}", 20, 10] }')).toEqual([
      'batchSize=10,rate=10',
      'batchSize=10,rate=20',
      'batchSize=20,rate=20',
    ]);
  });

  it('may scale the default that they override', () => {
    expect(ids('batchSize: ["${{ params.batchSize }}", "${{ 2 * params.batchSize }}"]')).toEqual([
      'batchSize=50',
      'batchSize=100',
    ]);
  });

  it('may be objects, whose cells have readable ids', () => {
    const [a, b] = ids('model: [{ name: mlp, hidden: [8] }, { name: lenet }]');
    expect(a).toMatch(/^model=name-mlp-hidden-8~[0-9a-f]{8}$/);
    expect(b).toMatch(/^model=name-lenet~[0-9a-f]{8}$/);
  });

  it('keep 1 and "1" apart', () => {
    expect(new Set(ids('batchSize: [1]\nlabel: [1, "1", true, "true"]')).size).toBe(4);
  });
});

describe('zip', () => {
  it('lets axes advance together', () => {
    expect(ids('batchSize: [1, 2]\nseed: [7, 8]\nrate: [0.1, 0.2]\nzip: [[batchSize, rate]]')).toEqual(
      [
        'batchSize=1,rate=0.1,seed=7',
        'batchSize=1,rate=0.1,seed=8',
        'batchSize=2,rate=0.2,seed=7',
        'batchSize=2,rate=0.2,seed=8',
      ].map((id) => id.replace(/(rate=[\d.]+),(seed=\d)/, '$2,$1')),
    );
  });
});

describe('include', () => {
  it('adds cells, where axes that it does not name run over their values', () => {
    expect(
      ids('batchSize: [1]\nseed: [7, 8]\ninclude: [{ batchSize: 5 }, { batchSize: 9, seed: 9 }]'),
    ).toEqual([
      'batchSize=1,seed=7',
      'batchSize=1,seed=8',
      'batchSize=5,seed=7',
      'batchSize=5,seed=8',
      'batchSize=9,seed=9',
    ]);
  });

  it('extends the cells it matches by params that are no axes', () => {
    expect(ids('batchSize: [1, 2]\ninclude: [{ batchSize: 2, rate: 0.5 }]')).toEqual([
      'batchSize=1,rate=0.1',
      'batchSize=2,rate=0.5',
    ]);
  });

  it('alone makes the matrix', () => {
    expect(ids('include: [{ batchSize: 1, label: a }, { label: b }]')).toEqual([
      'batchSize=1,label=a',
      'batchSize=50,label=b',
    ]);
  });
});

const axis = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 5 });
const matrixOf = (a: readonly number[], b: readonly number[]) => `batchSize: [${a}]\nseed: [${b}]`;

describe('for all matrices', () => {
  it('there are as many cells as combinations, and no two share an id', () => {
    fc.assert(
      fc.property(axis, axis, (a, b) => {
        const found = ids(matrixOf(a, b));
        expect(found).toHaveLength(a.length * b.length);
        expect(new Set(found).size).toBe(found.length);
      }),
      { numRuns: 30 },
    );
  });

  it('exclude removes exactly the cells with its values', () => {
    fc.assert(
      fc.property(axis, axis, fc.nat(), (a, b, pick) => {
        fc.pre(a.length > 1);
        const gone = a[pick % a.length]!;
        const kept = planOf(withMatrix(`${matrixOf(a, b)}\nexclude: [{ batchSize: ${gone} }]`)).cells;
        expect(kept).toHaveLength((a.length - 1) * b.length);
        expect(kept.every(({ axes }) => axes.batchSize !== gone)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('ids are unique and fit for file names, whatever the values', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.json(), {
          minLength: 1,
          maxLength: 6,
          selector: (text) => JSON.stringify(JSON.parse(text)),
        }),
        (texts) => {
          const plain = texts.filter(
            (text) => !/\$\{|\{\{|__proto__|-0|e[+-]?\d|\d{16}/i.test(text) && JSON.parse(text) !== null,
          );
          fc.pre(plain.length > 0);
          const found = ids(
            `batchSize: [1]\nlabel: ${JSON.stringify(plain.map((text) => JSON.parse(text)))}`,
          );
          expect(new Set(found).size).toBe(plain.length);
          for (const id of found) expect(id).toMatch(/^[A-Za-z0-9=,._~+-]{1,170}$/);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('recipes are equal if and only if what goes into the stage is', () => {
    const recipe = (batchSize: number, rate: number, stage: string) =>
      planOf(tiny, { batchSize: String(batchSize), rate: String(rate) }).cells[0]!.stages.find(
        ({ name }) => name === stage,
      )!.recipe;
    const small = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(small, small, small, small, (s1, r1, s2, r2) => {
        const equal = s1 === s2 && r1 === r2;
        expect(recipe(s1, r1, 'train') === recipe(s2, r2, 'train')).toBe(equal);
        expect(recipe(s1, r1, 'record') === recipe(s2, r2, 'record')).toBe(equal);
        expect(recipe(s1, r1, 'data')).toBe(recipe(s2, r2, 'data'));
      }),
      { numRuns: 30 },
    );
  });
});

describe('recipes', () => {
  const recipe = (text: string, stage: string) =>
    planOf(text).cells[0]!.stages.find(({ name }) => name === stage)!.recipe;

  it('do not depend on names of stages, the order of keys, defaults written out, or locations', () => {
    const renamed = tiny.replaceAll('stages.train', 'stages.sgd').replace('  train:\n', '  sgd:\n');
    expect(recipe(renamed, 'record')).toBe(recipe(tiny, 'record'));
    expect(recipe(edit(tiny, 'epochs: 3', 'l2: 0\n      epochs: 3'), 'train')).toBe(recipe(tiny, 'train'));
    expect(recipe(edit(tiny, 'mnist-digits', 'mnist-digits\n      path: /data'), 'data')).toBe(
      recipe(tiny, 'data'),
    );
  });

  it('depend on threads where the stage computes', () => {
    const threads = (uses: string) =>
      edit(tiny, `uses: ${uses}`, `uses: ${uses}\n    resources: { threads: 2 }`);
    expect(recipe(threads('train'), 'train')).not.toBe(recipe(tiny, 'train'));
    expect(recipe(threads('dataset'), 'data')).toBe(recipe(tiny, 'data'));
  });

  it('depend on which output is taken', () => {
    const test = edit(tiny, 'stages.data.train', 'stages.data.test');
    expect(recipe(test, 'train')).not.toBe(recipe(tiny, 'train'));
  });
});
