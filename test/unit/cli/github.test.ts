import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { reportDiagnostic } from '../../../cli/output/errors.ts';
import { githubCommands } from '../../../cli/output/github.ts';
import { compile, type PipelineError } from '../../../compiler/index.ts';

beforeEach(() => vi.stubEnv('GITHUB_WORKSPACE', ''));
afterEach(() => vi.unstubAllEnvs());

/** A command as GitHub's runner reads it: name, properties and message, unescaped. */
function read(line: string): { name: string; properties: Record<string, string>; message: string } {
  const [, name, list, data] = /^::(\w+) ([^:]*)::(.*)$/.exec(line)!;
  const plain = (text: string) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
  const properties = list!.split(',').map((pair) => {
    const [key, value] = pair.split('=') as [string, string];
    return [key, plain(value.replaceAll('%3A', ':').replaceAll('%2C', ','))];
  });
  return { name: name!, properties: Object.fromEntries(properties), message: plain(data!) };
}

test('a mistake in a pipeline is a command with its place', () => {
  const file = 'a,b: 100%.yaml';
  const text =
    'version: 1\nname: x\nstages:\n  data: { uses: dataset, with: { name: cifar10, exampels: 5 } }\n';
  let diagnostics: PipelineError['diagnostics'] = [];
  try {
    compile(text, { file });
  } catch (error) {
    ({ diagnostics } = error as PipelineError);
  }
  expect(diagnostics.length).toBeGreaterThan(0);
  const lines = githubCommands({ file, valid: false, diagnostics: diagnostics.map(reportDiagnostic) })
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(diagnostics.length);
  for (const [index, line] of lines.entries()) {
    const { severity, line: at, column, message, cure } = diagnostics[index]!;
    const command = read(line);
    expect(command).toMatchObject({
      name: severity,
      properties: { file, line: String(at), col: String(column) },
      message: cure === undefined ? message : `${message}\n${cure}`,
    });
  }
});

test('texts with every character that has a meaning in a command', () => {
  const file = 'x.yaml';
  const message = '50% of\r\n::error::a, b: %0A';
  const error = { code: 'input', message, cure: 'mend: it' } as const;
  const [line, rest] = githubCommands({ file, valid: false, diagnostics: [], error }).split('\n');
  expect(rest).toBe('');
  expect(read(line!)).toMatchObject({ name: 'error', message: `${message}\nmend: it` });
});

test('in a job, paths are relative to its workspace', () => {
  vi.stubEnv('GITHUB_WORKSPACE', path.dirname(process.cwd()));
  const error = { code: 'input', message: 'no' } as const;
  const [line] = githubCommands({ file: 'p/x.yaml', valid: false, diagnostics: [], error }).split('\n');
  expect(read(line!).properties.file).toBe(path.join(path.basename(process.cwd()), 'p', 'x.yaml'));
});
