import { describe, expect, test } from 'vitest';
import { edit, errorsOf, planOf, tiny } from '../pipelines.ts';

const from = 'from: "${{ stages.train.state }}", epochs: 1';
const hessian = '  hessian: { uses: hessian, with: { at: "${{ stages.record.mean }}", top: 2 } }\n';
const again = (more: string) => `  again: { uses: record, with: { ${from}, ${more} } }\n`;
const onto = 'onto: "${{ stages.hessian.eigenpairs }}"';
const stageOf = (text: string, name: string) =>
  planOf(text).cells[0]!.stages.find((stage) => stage.name === name)!;
const outputsOf = (more: string) => Object.keys(stageOf(tiny + hessian + again(more), 'again').outputs);
const recipeOf = (more: string) => stageOf(tiny + hessian + again(more), 'again').recipe;

describe('a recording has the outputs that its settings ask for', () => {
  test.each([
    ['warmup: 0', ['trajectory', 'mean', 'state']],
    ['every: 4', ['trajectory', 'mean', 'state']],
    ['keep: none', ['mean', 'state']],
    [onto, ['mean', 'state', 'series']],
    ['sketch: { size: 9 }', ['mean', 'state', 'sketch']],
    [`${onto}, sketch: { size: 9 }, keep: trajectory`, ['trajectory', 'mean', 'state', 'series', 'sketch']],
    ["keep: \"${{ params.rate > 1 ? 'trajectory' : 'none' }}\"", ['mean', 'state']],
    ['keep: "${{ params.rate > 1 ? \'none\' : null }}"', ['trajectory', 'mean', 'state']],
  ])('%s', (more, outputs) => {
    expect(outputsOf(more)).toEqual(outputs);
  });

  test('and is the same step where a setting only says what would be without it', () => {
    expect(recipeOf('keep: trajectory')).toBe(recipeOf('warmup: 0'));
    expect(recipeOf('every: 1')).toBe(recipeOf('warmup: 0'));
    expect(recipeOf(`${onto}, keep: none`)).toBe(recipeOf(onto));
    expect(recipeOf('sketch: { size: 9, seed: 0 }, keep: none')).toBe(recipeOf('sketch: { size: 9 }'));
    const different = [
      'warmup: 0',
      'keep: none',
      'every: 2',
      onto,
      `${onto}, keep: trajectory`,
      'sketch: { size: 9 }',
    ];
    expect(new Set(different.map(recipeOf)).size).toBe(different.length);
  });
});

describe('an output that a recording does not write is an error where another stage takes it, with a cure', () => {
  const project =
    '  project: { uses: project, with: { trajectory: "${{ stages.again.trajectory }}", basis: "${{ stages.hessian.eigenpairs }}" } }\n';
  const analyze = (output: string) =>
    `  analyze: { uses: analyze, with: { series: "\${{ stages.again.${output} }}" } }\n`;
  test.each([
    ['keep: none', project, 'trajectory', '`keep: trajectory`, or no `keep`, `onto` and `sketch`'],
    [onto, project, 'trajectory', '`keep: trajectory`'],
    ['every: 2', analyze('series'), 'series', '`onto`'],
    [onto, analyze('sketch'), 'sketch', '`sketch`'],
    // Known only once the cells are.
    ['keep: "${{ params.rate < 1 ? \'none\' : null }}"', project, 'trajectory', '`keep: trajectory`'],
  ])('%s', (more, reader, output, cure) => {
    const text = tiny + hessian + again(more) + reader;
    const found = errorsOf(text);
    expect(found).toMatchObject([
      {
        code: 'wrong-reference',
        line: text.split('\n').length - 1,
        message: `stage \`again\` does not write \`${output}\` with its settings`,
        cure: expect.stringContaining(`it does with ${cure}`),
      },
    ]);
    expect(text.split('\n')[found[0]!.line - 1]!.slice(found[0]!.column - 1)).toMatch(
      /^(stages\.again\.)?(trajectory|series|sketch) /,
    );
  });

  test('in the cells that lack it, once', () => {
    const cells = edit(
      tiny,
      'stages:\n',
      'strategy: { matrix: { keep: [trajectory, none], rate: [0.1, 0.2] } }\nstages:\n',
    );
    const found = errorsOf(cells + hessian + again('keep: "${{ params.keep }}"') + project);
    expect(found.map(({ message }) => message)).toEqual([
      'stage `again` does not write `trajectory` with its settings in cell `keep=none,rate=0.1` and 1 more',
    ]);
  });

  test('and no hint names it', () => {
    const [error] = errorsOf(tiny + hessian + again('keep: none') + analyze('mean'));
    expect(error!.cure).toBe('no stage here writes a series artifact; add one that does');
    const [other] = errorsOf(tiny + hessian + again(onto) + analyze('mean'));
    expect(other!.cure).toBe('write `${{ stages.again.series }}`');
  });
});
