import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../artifacts/errors.ts';
import { loadModule } from '../../artifacts/load-module.ts';
import { schemaBeside } from '../../artifacts/own-module.ts';
import type { AnyFigure } from './drawing/definition.ts';

/** What the module of a figure of one's own exports as `figure`; its title, and what it is drawn from, stand in the schema beside it. */
export type OwnFigure = Pick<AnyFigure, 'scope' | 'draw' | 'caption'>;

/** The figure of one's own whose module has this name below the folder of the pipeline. Throws {@link InputError} if it is not there, or is none. */
export async function ownFigure(name: string, baseDirectory: string | undefined): Promise<AnyFigure> {
  if (baseDirectory === undefined) {
    throw new InputError(
      `Where ${name} lies is not known: the record of the study is damaged.`,
      'Run the pipeline again.',
    );
  }
  const { figure } = (await loadModule(name, baseDirectory, 'figure')) as { figure?: OwnFigure };
  if (typeof figure?.draw !== 'function' || typeof figure.caption !== 'function') {
    throw new InputError(
      `${name} must export \`figure\` with \`scope\`, \`draw\` and \`caption\`.`,
      'See docs/own-kinds.md.',
    );
  }
  const about = JSON.parse(await readFile(join(baseDirectory, schemaBeside(name)), 'utf8')) as object;
  return { ...about, ...figure, name } as AnyFigure;
}
