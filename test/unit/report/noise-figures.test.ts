import { describe, expect, it } from 'vitest';
import type { NoiseContext, ToyContext } from '../../../artifacts/arrow/measurement-contexts.ts';
import { figureKinds } from '../../../compiler/index.ts';
import type { CellTable, CellTables } from '../../../report/figures/drawing/data.ts';
import { renderFigure } from '../../../report/figures/index.ts';
import { RandomStream } from '../../../science/random.ts';
import { noiseAutocovariance } from '../../../science/theory/noise.ts';
import { cellTable, training } from './synthetic.ts';

const noise: NoiseContext = {
  ...{ weights: 'fixed', epochs: 60, repeats: 2, lags: 80, firstEpoch: 10, variance: 3.5 },
};

/** Equation (2) with a scatter of one standard error. */
function autocovarianceCell(sampling: 'without-replacement' | 'shuffle-once', label = 'main'): CellTable {
  const random = new RandomStream(1, sampling);
  const lag = Float64Array.from({ length: 81 }, (_, h) => h);
  const theory = lag.map((h) => noiseAutocovariance(h, 40, sampling));
  const standard_error = lag.map((h) => (h === 0 ? 0 : 0.002));
  const measured = theory.map((value, h) => value + standard_error[h]! * random.normal());
  const columns = { lag, measured, theory, standard_error };
  return cellTable(columns, { label, training: training({ sampling }), noise });
}

const toy = (changes: Partial<ToyContext> = {}): ToyContext => ({
  loss: { name: 'quadratic', width: 10 },
  noise: { name: 'examples', covariance: 'isotropic', scale: 1 },
  examples: 100,
  batchSize: 5,
  batchesPerEpoch: 20,
  sampling: 'without-replacement',
  learningRate: 0.1,
  momentum: 0.5,
  seed: 7,
  epochs: 50,
  warmup: 10,
  eigenvalues: [2, 0.5],
  noiseVariances: [0.2, 0.2],
  weightVariances: [0.01, 0.04],
  ...changes,
});

function pathCell(changes: Partial<ToyContext> = {}, label = 'main'): CellTable {
  const random = new RandomStream(2, 'path');
  const rows = 3000;
  const values = (scale: number) => Float64Array.from({ length: rows }, () => scale * random.normal());
  const columns = {
    step: Float64Array.from({ length: rows }, (_, k) => k + 1),
    theta_1: values(0.1),
    theta_2: values(0.2),
  };
  return cellTable(columns, { label, toy: toy(changes) });
}

function valleyCell(name: 'none' | 'anti-correlated'): CellTable {
  const step = Float64Array.from({ length: 2000 }, (_, k) => k + 1);
  const hessian_trace = step.map((k) => 0.2 + 30 * Math.exp(-k / (name === 'none' ? 1e9 : 300)));
  const columns = {
    step,
    hessian_trace,
    u_norm: step.map(() => 0.3),
    v: step.map((k) => 2 * Math.exp(-k / 600)),
  };
  const theory = name === 'none' ? {} : { hessian_trace_theory: hessian_trace };
  const loss = { name: 'valley', width: 10 } as const;
  const { eigenvalues, weightVariances, ...rest } = toy({
    loss,
    noise: { name, covariance: 'isotropic', scale: 0.01 },
  });
  expect(eigenvalues).toBeDefined();
  expect(weightVariances).toBeDefined();
  return cellTable({ ...columns, ...theory }, { label: name, toy: rest });
}

const draw = (kind: string, cells: readonly CellTable[], available = cells.length) =>
  renderFigure({ kind, from: { scope: 'cell', stage: 'x', output: 'y', kind: 'series' } }, {
    scope: 'cell',
    cells,
    available,
    planned: available,
  } satisfies CellTables);
const pathsOf = (svg: string, colour: string) =>
  [...svg.matchAll(/<path[^>]*>/g)].map(([path]) => path).filter((path) => path.includes(colour));

/** The theory's line in the legend. */
const legendLine = 1;

describe('the figures of noise and toys', () => {
  it.each(Object.entries(figureKinds))('%s can be drawn', async (kind, { of }) => {
    await expect(draw(kind, [])).rejects.toThrow(
      of === 'collect' ? 'is drawn from a collect, not' : 'There is no data yet.',
    );
  });

  it.each([
    [
      { ...noise, epochs: 1, repeats: 60 },
      'after 10 epochs of training, 1 epoch with each of 60 seeds from 1',
    ],
    [{ ...noise, firstEpoch: 1, repeats: 1 }, 'after 1 epoch of training, 60 epochs with seed 1'],
  ])('autocovariance: one is no plural', async (of, words) => {
    const cell = { ...autocovarianceCell('without-replacement'), noise: of };
    expect((await draw('autocovariance', [cell])).caption.join(' ')).toContain(words);
  });

  it('autocovariance: each lag of both signs, the theory on each side of every peak, and what agrees', async () => {
    const { svg, png, caption } = await draw('autocovariance', [autocovarianceCell('without-replacement')]);
    const circles = pathsOf(svg, '#2c6bd6').filter((path) => path.includes('A'));
    // 80 lags of both signs.
    expect(circles).toHaveLength(160);
    expect(pathsOf(svg, '#d4500f').filter((path) => path.includes('L'))).toHaveLength(2 + legendLine);
    expect(svg).toContain('↑ 1');
    expect(png.length).toBeGreaterThan(5000);
    const text = caption.join(' ');
    for (const part of [
      'N = 2000',
      'S = 50',
      'M = 40',
      'weights fixed',
      '60 epochs with each of 2 seeds from 1',
      'No drift',
    ])
      expect(text).toContain(part);
    const [within, all] = /(\d+) of (\d+) lags are within 3/.exec(text)!.slice(1).map(Number);
    expect(all).toBe(80);
    expect(within).toBeGreaterThanOrEqual(79);
    expect(text).not.toContain('η = ');
  });

  it('autocovariance: one panel a cell, cut at the peaks of an order that is kept', async () => {
    const cells = [
      autocovarianceCell('without-replacement', 'new orders'),
      autocovarianceCell('shuffle-once', 'one order'),
    ];
    const { svg } = await draw('autocovariance', cells, 5);
    expect(svg).toContain('new orders');
    expect(svg).toContain('one order');
    // Peaks at h = 0, M and 2 M: two segments on either side.
    expect(pathsOf(svg, '#d4500f').filter((path) => path.includes('L'))).toHaveLength(2 + 4 + legendLine);
  });

  it('trajectory: the path, the ellipses of both variances, and their ratio', async () => {
    const { svg, caption } = await draw('trajectory', [
      pathCell(),
      pathCell({ sampling: 'with-replacement', weightVariances: [0.01, null] }),
    ]);
    expect(svg).toContain('examples drawn without replacement');
    expect(svg).toContain('examples drawn with replacement');
    expect(pathsOf(svg, '#1f8a4c').length).toBeGreaterThanOrEqual(2);
    const text = caption.join(' ');
    expect(text).toContain('λ_1 = 2 and λ_2 = 0.5');
    expect(text).toMatch(/without replacement: (0\.9\d|1\.0\d) along λ_1, (0\.9\d|1\.0\d) along λ_2/);
    // No stationary state, no ratio.
    expect(text).not.toContain('drawn with replacement: ');
  });

  it('valley: traces on a logarithmic axis, the path, and the last values', async () => {
    const { svg, caption } = await draw('valley', [valleyCell('none'), valleyCell('anti-correlated')]);
    expect(svg).toContain('theory of Anti-PGD');
    expect(svg).toContain('Anti-PGD');
    const text = caption.join(' ');
    expect(text).toContain('d = 10, σ = 0.1');
    expect(text).toContain('30 (gradient descent)');
    expect(text).toMatch(/0\.2\d? \(Anti-PGD\)/);
  });

  it('noise-variance: points, theory and the cosine between C and H', async () => {
    const eigenvalue = Float64Array.from({ length: 20 }, (_, i) => 10 / (i + 1));
    const columns = {
      eigenvalue,
      noise_variance: eigenvalue.map((value) => 0.11 * value),
      noise_variance_standard_error: eigenvalue.map((value) => 0.01 * value),
      noise_variance_theory: eigenvalue.map((value) => 0.1 * value),
    };
    const cell = cellTable(columns, {
      training: training(),
      noise: { ...noise, cosine: 0.93, commutator: 0.02 },
    });
    const { svg, caption } = await draw('noise-variance', [cell]);
    expect(svg).toContain('C ∝ H');
    expect(caption.join(' ')).toContain('= 0.93 (1 if C ∝ H)');
  });

  it('say how much of what there is they show', async () => {
    const labels = Array.from({ length: 6 }, (_, index) => `seed ${index}`);
    const noises = labels.map((label) => autocovarianceCell('without-replacement', label));
    const some = async (kind: string, cells: readonly CellTable[], available?: number) =>
      (await draw(kind, cells, available)).caption.join(' ');
    expect(await some('autocovariance', noises)).toContain('4 of 6 cells are drawn; the data has all.');
    expect(await some('autocovariance', noises, 900)).toContain(
      '4 of 900 cells are drawn; the data has 6; the artifacts have the others.',
    );
    const rows = Array.from({ length: 501 }, (_, h) => h);
    const long = cellTable(
      {
        lag: Float64Array.from(rows),
        measured: Float64Array.from(rows, (h) => (h === 0 ? 1 : -0.01)),
        theory: Float64Array.from(rows, (h) => (h === 0 ? 1 : -0.01)),
        standard_error: Float64Array.from(rows, () => 0.01),
      },
      { training: training(), noise },
    );
    // Every third of lags 1 ... 500.
    expect(await some('autocovariance', [long])).toContain('166 of 500 lags are drawn, evenly spread');
    const paths = await some(
      'trajectory',
      labels.map((label) => pathCell({ eigenvalues: [2, 0.5, 0.1] }, label)),
    );
    expect(paths).toContain('The last 2,000 of 3,000 recorded steps in 2 of 3 directions');
    expect(paths).toContain('3 of 6 cells are drawn; the data has all.');
    expect(await some('valley', [valleyCell('none')])).toContain(
      '500 of 2,000 steps are drawn, evenly spread',
    );
  });

  it('say what is missing', async () => {
    await expect(draw('trajectory', [cellTable({ step: Float64Array.of(1) })])).rejects.toThrow(
      /not written by a toy stage/,
    );
    await expect(draw('trajectory', [pathCell({ eigenvalues: [1] })])).rejects.toThrow(
      /at least two directions/,
    );
  });
});
