import { expect, test } from 'vitest';
import { Diagnostics } from '../../../compiler/source/diagnostics.ts';
import { parseYaml } from '../../../compiler/source/yaml-source.ts';

const text = `name: x
params:
  list: [1, 22]
  word: "a \${{ b }} c"
`;
const reported = (report: (diagnostics: Diagnostics) => void) => {
  const diagnostics = new Diagnostics(parseYaml(text, 'x.yaml'));
  report(diagnostics);
  return diagnostics.found.map(({ line, column, endColumn, severity }) => [
    severity,
    line,
    column,
    endColumn,
  ]);
};

test('a path stands for the value at it; of its key, or of a part of its text, there is a span', () => {
  const place = ['params', 'list', 1];
  const ofPath = reported((diagnostics) => diagnostics.error('wrong-value', place, 'wrong'));
  expect(ofPath).toEqual([['error', 3, 13, 15]]);
  expect(
    reported((diagnostics) => diagnostics.error('wrong-value', diagnostics.spanOfValue(place), 'wrong')),
  ).toEqual(ofPath);
  expect(
    reported((diagnostics) => {
      diagnostics.warning('no-effect', diagnostics.spanInText(['params', 'word'], 2, 8), 'of a part');
      diagnostics.warning('no-effect', diagnostics.spanOfKey(['params', 'word']), 'of a key');
      diagnostics.warning('no-effect', ['params', 'list'], 'of a list');
    }),
  ).toEqual([
    ['warning', 3, 9, 16],
    ['warning', 4, 3, 7],
    ['warning', 4, 12, 20],
  ]);
});

test('what is reported at a path is known at its span', () => {
  const diagnostics = new Diagnostics(parseYaml(text, 'x.yaml'));
  expect(diagnostics.hasErrors).toBe(false);
  diagnostics.error('wrong-value', ['params', 'list', 0], 'wrong');
  expect(diagnostics.hasErrorAt(diagnostics.spanOfValue(['params', 'list']))).toBe(true);
  expect(diagnostics.hasErrorAt(diagnostics.spanOfValue(['params', 'word']))).toBe(false);
  expect(() => diagnostics.throwIfErrors()).toThrow('x.yaml:3:10');
});
