import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile, formatDiagnostic, harmless, PipelineError } from '../../../../compiler/index.ts';
import { sweep, tiny } from '../pipelines.ts';

/** Compiles whatever it is given; what is wrong has to be a sound list of diagnostics, and nothing else may be thrown. */
function survives(text: string, overrides: Record<string, string> = {}): void {
  try {
    compile(text, { file: 'x.yaml', overrides });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    expect(error.diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
    const lines = text.split('\n').length;
    for (const diagnostic of error.diagnostics) {
      expect(diagnostic.line).toBeGreaterThanOrEqual(1);
      expect(diagnostic.line).toBeLessThanOrEqual(lines);
      expect(diagnostic.column).toBeGreaterThanOrEqual(1);
      expect(diagnostic.message).not.toContain('undefined');
      expect(formatDiagnostic(diagnostic, { color: true })).toContain(harmless(diagnostic.message));
    }
  }
}

const snippets = [
  '${{',
  '}}',
  '${{ params.x }}',
  ': ',
  '- ',
  '\n',
  '\t',
  '"',
  "'",
  '&a ',
  '*a',
  '{',
  '}',
  '[',
  ']',
  '#',
  '!',
  '<<: ',
  'null',
  '__proto__: 1',
  '---\n',
  '💥',
  '\u0000',
  '..',
  'stages.',
  '1e999',
  '~',
];

it('answers any text with a plan or with diagnostics', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => survives(text)),
    { numRuns: 100 },
  );
});

it.each([
  ['tiny', tiny],
  ['sweep', sweep],
])('answers %s with any damage done to it', (_, text) => {
  const damage = fc.record({
    at: fc.nat(text.length),
    remove: fc.nat(12),
    insert: fc.oneof(fc.constant(''), fc.constantFrom(...snippets), fc.string({ maxLength: 4 })),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
      const damaged = damages.reduce(
        (result, { at, remove, insert }) => result.slice(0, at) + insert + result.slice(at + remove),
        text,
      );
      survives(damaged);
    }),
    { numRuns: 120 },
  );
});

it('answers any expression', () => {
  const tokens = [
    'params',
    '.',
    'batchSize',
    'rate',
    'size',
    '+',
    '/',
    '*',
    '(',
    ')',
    '[',
    ']',
    '?',
    ':',
    '"a"',
    '1',
    '0',
    '2.5',
    ',',
    '==',
    'stages.train.state',
    'min',
    'size',
    '{',
    '}',
    ' ',
    '!',
    'map',
    'x',
    'null',
    'b"x"',
    'floor',
    '0.0',
    '.matches("(")',
    '1u',
    'timestamp("2024-01-01T00:00:00Z")',
    'type(1)',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 9 }), (parts) => {
      const quoted = `'\${{ ${parts.join('').replaceAll("'", "''")} }}'`;
      survives(tiny.replace('epochs: 3', () => `epochs: ${quoted}`));
      survives(tiny.replace('"${{ params.rate }}"', () => quoted));
      survives(tiny.replace('rate: 0.1', () => `rate: ${quoted}`));
    }),
    { numRuns: 100 },
  );
});

it('answers any override', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('batchSize', 'rate', 'size', 'seed', 'x', '__proto__'),
      fc.string({ maxLength: 8 }),
      (name, text) => {
        survives(tiny, { [name]: text });
        survives(sweep, { [name]: text });
      },
    ),
    { numRuns: 50 },
  );
});
