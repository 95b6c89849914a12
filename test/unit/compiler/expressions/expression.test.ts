import { describe, expect, it } from 'vitest';
import { hasExpression, parseTemplate, TemplateError } from '../../../../compiler/source/template.ts';
import { edit, errorsOf, planOf, tiny, withOf } from '../pipelines.ts';

/** The value of an expression that stands as learning rate, where any positive number does. */
function rate(expression: string, params = '') {
  const text = edit(
    edit(tiny, '"${{ params.rate }}"', `'\${{ ${expression} }}'`),
    'params:\n',
    `params:\n${params}`,
  );
  return (withOf(text).optimizer as { learningRate: number }).learningRate;
}

/** The value of an expression as a param, whatever its type. */
const value = (expression: string) => planOf(edit(tiny, 'size: small', `size: '${expression}'`)).params.size;

describe('arithmetic', () => {
  it.each([
    ['2 * params.batchSize', 100],
    ['0.5 / params.rate', 5],
    ['params.batchSize * 0.5', 25],
    ['params.rate + 1', 1.1],
    ['1 - params.rate', 0.9],
    ['params.batchSize / 20', 2],
    ['double(params.batchSize) / 20', 2.5],
    ['params.batchSize / 20.0', 2.5],
    ['params.batchSize % 20', 10],
    ['min(params.batchSize, 7)', 7],
    ['max(params.rate, 7)', 7],
    ['sqrt(params.batchSize + 14)', 8],
    ['pow(2, 0.5) * pow(2.0, 0.5)', 2.0000000000000004],
    ['round(2.6) + floor(2.6) + ceil(2.2)', 8],
    ['abs(-3) + abs(-0.5)', 3.5],
    ['exp(log(2)) + log10(100)', 4],
    ['size([1, 2, 3])', 3],
    ['[0.1, 0.2][1]', 0.2],
    ['params.batchSize == 50.0 && params.rate < 1 ? 1 : 2', 1],
    ['params.batchSize > 100 ? 100 : 0.5', 0.5],
    ['true ? (params.rate > 1 ? 1 : 0.25) : 3', 0.25],
  ])('%s = %d', (expression, expected) => {
    expect(rate(expression)).toBe(expected);
  });

  it('gives whole numbers where they are expected, from doubles too', () => {
    const text = edit(tiny, 'epochs: 3', 'epochs: ${{ params.batchSize * 0.5 }}');
    expect(withOf(text)).toMatchObject({ epochs: 25 });
  });

  it('knows a whole number that was written as a double', () => {
    expect(rate('params.eta / 4', '  eta: 1.0\n')).toBe(0.25);
  });
});

describe('types', () => {
  it.each([
    ['${{ [1, 2.5] }}', [1, 2.5]],
    ['${{ {"name": "mlp", "hidden": [8]} }}', { name: 'mlp', hidden: [8] }],
    ['${{ params.batchSize > 1 }}', true],
    ['  ${{ 1 + 1 }}  ', 2],
    ['S = ${{ params.batchSize }}, eta = ${{ params.rate }}', 'S = 50, eta = 0.1'],
    ['$${{ not evaluated }}', '${{ not evaluated }}'],
    ['$${HOME} and ${{ "a" + "}}" }}', '${HOME} and a}}'],
    ['${{ [1, 2].map(n, n * params.batchSize) }}', [50, 100]],
  ])('%s', (expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  it('passes whole objects on', () => {
    const text = edit(
      edit(tiny, '  size: small', '  size: { name: mlp, hidden: [8] }'),
      '{ name: mlp }',
      '${{ params.size }}',
    );
    expect(withOf(text)).toMatchObject({
      model: { name: 'mlp', hidden: [8], initialization: 'glorot-normal' },
    });
  });

  it('leaves a key out if its expression is null, so that its default holds', () => {
    const text = edit(
      tiny,
      'mnist-digits',
      'mnist-digits\n      seed: \'${{ params.size == "paper" ? 5 : null }}\'',
    );
    expect(withOf(text, 'data')).toMatchObject({ seed: 0 });
    expect(withOf(text, 'data', { size: 'paper' })).toMatchObject({ seed: 5 });
  });
});

describe('params', () => {
  const computed = edit(
    tiny,
    '  size: small\n',
    '  size: small\n  epochs: \'${{ params.size == "paper" ? 100 : 3 }}\'\n',
  );
  const used = edit(computed, 'epochs: 3', 'epochs: ${{ params.epochs }}');

  it('may be computed from those above, and follow --set', () => {
    expect(withOf(used)).toMatchObject({ epochs: 3 });
    expect(withOf(used, 'train', { size: 'paper' })).toMatchObject({ epochs: 100 });
    expect(withOf(used, 'train', { epochs: '7' })).toMatchObject({ epochs: 7 });
  });

  it('follow the axes of the matrix', () => {
    const text = edit(used, 'stages:', 'strategy: { matrix: { size: [small, paper] } }\nstages:');
    expect(planOf(text).cells.map(({ params }) => params.epochs)).toEqual([3, 100]);
  });
});

it('computes each cell with the types of its own values', () => {
  const text = edit(
    edit(tiny, '${{ params.rate }}', '${{ params.rate * 2 + params.batchSize }}'),
    'stages:',
    'strategy: { matrix: { rate: [1, 0.25, 3, 0.5] } }\nstages:',
  );
  const rates = planOf(text).cells.map(
    ({ stages }) => (stages[1]!.with.optimizer as { learningRate: number }).learningRate,
  );
  expect(rates).toEqual([52, 50.5, 56, 51]);
});

describe('artifacts', () => {
  it('may be chosen by a param, and only the chosen one is waited for', () => {
    const text = edit(
      tiny,
      '"${{ stages.train.state }}"',
      '\'${{ params.size == "small" ? stages.train.state : stages.other.state }}\'',
    ).concat('  other:\n    uses: record\n    with: { from: "${{ stages.train.state }}", epochs: 1 }\n');
    const record = (size: string) =>
      planOf(text, { size }).cells[0]!.stages.find(({ name }) => name === 'record')!;
    expect(record('small').needs).toEqual(['train']);
    expect(record('paper').needs).toEqual(['other']);
    expect(record('small').recipe).not.toBe(record('paper').recipe);
  });

  it('may be named in brackets', () => {
    expect(withOf(edit(tiny, 'stages.train.state', "stages['train']['state']"), 'record')).toEqual(
      withOf(tiny, 'record'),
    );
  });
});

describe('parseTemplate', () => {
  it('cuts a text into literals and expressions with their offsets', () => {
    expect(parseTemplate('a${{ 1 }}b')).toEqual({
      whole: false,
      pieces: [
        { kind: 'literal', text: 'a' },
        { kind: 'expression', text: ' 1 ', offset: 4 },
        { kind: 'literal', text: 'b' },
      ],
    });
  });

  it('does not end at braces of maps or inside strings', () => {
    expect(parseTemplate('${{ {"a": {"b": "}}"}} }}').pieces).toEqual([
      { kind: 'expression', text: ' {"a": {"b": "}}"}} ', offset: 3 },
    ]);
  });

  it.each(['${{ 1', '${x}', '{{ x }}', '${{ "a }}'])('refuses %s', (text) => {
    expect(() => parseTemplate(text)).toThrow(TemplateError);
  });

  it('tells expressions from escaped ones', () => {
    expect([hasExpression('${{ 1 }}'), hasExpression('$${{ 1 }}'), hasExpression('1')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

it('evaluates lazily: the branch that is not taken may be impossible', () => {
  expect(rate('params.batchSize == 0 ? 1 / params.batchSize : 2')).toBe(2);
  expect(
    errorsOf(edit(tiny, '${{ params.rate }}', '${{ 1 / (params.batchSize - params.batchSize) }}')),
  ).toHaveLength(1);
});
