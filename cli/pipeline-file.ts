import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InputError } from '../artifacts/errors.ts';
import { type Compilation, compile, formatDiagnostic } from '../compiler/index.ts';
import type { Output } from './output.ts';

const examples = path.join(import.meta.dirname, '..', 'pipelines');

/** Reads and compiles a pipeline file; its warnings go to the user. Throws `InputError` if it cannot be read, `PipelineError` if it is wrong. */
export async function compileFile(
  file: string,
  overrides: Record<string, string>,
  output: Output,
): Promise<Compilation> {
  const compilation = compile(await readPipeline(file), { file, overrides });
  const color = process.stderr.isTTY === true && !process.env.NO_COLOR;
  for (const warning of compilation.warnings) output.warn(formatDiagnostic(warning, { color }));
  return compilation;
}

async function readPipeline(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') throw new InputError(`${file} is a folder, not a pipeline file.`);
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      throw new InputError(`${file} cannot be read: ${(error as Error).message}`);
    const there = (await readdir(examples).catch(() => [])).filter((name) => name.endsWith('.yaml'));
    const known = there.map((name) => path.relative(process.cwd(), path.join(examples, name)));
    throw new InputError(
      `There is no pipeline file ${file}.`,
      known.length > 0 ? `There are ${known.join(', ')}.` : undefined,
    );
  }
}

/** Collects `--set name=value` options. */
export function collectOverride(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1)
    throw new InputError(
      `--set needs name=value, got ${JSON.stringify(text)}.`,
      'For instance --set batchSize=100',
    );
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
