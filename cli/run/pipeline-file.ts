import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InputError } from '../../artifacts/errors.ts';
import { didYouMean } from '../../compiler/diagnostics/did-you-mean.ts';
import { type Compilation, compile, decode, formatDiagnostics } from '../../compiler/index.ts';
import { checkProspects } from '../checks/sure-to-fail.ts';
import type { Output } from '../output/output.ts';

const examples = path.resolve(import.meta.dirname, '..', '..', 'pipelines');

/**
 * Reads and compiles a pipeline file, and checks it for what is sure to fail, with `baseDirectory` by the outside data below it too; its warnings
 * go to the user. Throws `InputError` if it cannot be read, `PipelineError` if it is wrong.
 */
export async function compileFile(
  file: string,
  overrides: Record<string, string>,
  output: Output,
  baseDirectory?: string,
): Promise<Compilation> {
  const compilation = compile(await readPipeline(file), { file, overrides });
  await checkProspects(compilation.plan, file, baseDirectory);
  const color = process.stderr.isTTY === true && !process.env.NO_COLOR;
  if (compilation.warnings.length > 0) output.warn(formatDiagnostics(compilation.warnings, { color }));
  return compilation;
}

async function readPipeline(file: string): Promise<string> {
  try {
    return decode(await readFile(file), file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EISDIR' && code !== 'ENOENT' && code !== 'ENOTDIR')
      throw new InputError(`${file} cannot be read: ${(error as Error).message}`);
    const shipped = await pipelinesIn(fromHere(examples));
    if (code === 'EISDIR') {
      const inside = await pipelinesIn(file);
      throw new InputError(
        `${file} is a folder, not a pipeline file.`,
        thereAre(inside.length > 0 ? inside : shipped),
      );
    }
    const near = [
      ...(await pipelinesIn(path.dirname(file))),
      ...(await pipelinesIn('pipelines')),
      ...shipped,
    ];
    const plain = (name: string) => path.basename(name).replace(/\.ya?ml$/, '');
    const meant = didYouMean(plain(file), [...new Set(near.map(plain))]);
    const nearest = near.find((name) => plain(name) === meant);
    throw new InputError(
      `There is no pipeline file ${file}.`,
      nearest === undefined ? thereAre(shipped) : `Did you mean ${nearest}?`,
    );
  }
}

/** Paths of the pipeline files of a folder; none if it cannot be read. */
async function pipelinesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

/** The path as it is shortest: from the working directory if it is below that. */
function fromHere(place: string): string {
  const relative = path.relative(process.cwd(), place);
  return relative.startsWith('..') ? place : relative;
}

function thereAre(files: readonly string[]): string | undefined {
  return files.length > 0 ? `There are ${files.join(', ')}.` : undefined;
}

/** Collects `--set name=value` options. */
export function collectOverride(
  text: string,
  before: Record<string, string> = Object.create(null), // Where any name is one like others, also `__proto__`.
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1)
    throw new InputError(
      `--set needs name=value, got ${JSON.stringify(text)}.`,
      'For instance --set batchSize=100',
    );
  before[text.slice(0, at)] = text.slice(at + 1);
  return before;
}
