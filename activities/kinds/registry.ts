import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { EnvironmentError, InputError } from '../../artifacts/errors.ts';
import { moduleFile } from '../../artifacts/module-file.mjs';
import { isName } from '../../artifacts/store/names.ts';
import { strangersOn } from '../../artifacts/trust.mjs';
import type { Stage } from './stage.ts';

const ownFolder = path.join(import.meta.dirname, '..', 'stages');

/** Folders with stage kinds of one's own, looked into before the built-in ones; separated as in `PATH`. */
export const stageModulesVariable = 'EPOCHAL_STAGE_MODULES';

/**
 * The stage kind named `uses`: the export `stage` of `stages/<uses>.ts`, or `.js` where there is only that. Modules are loaded when first asked for, so that a worker that only
 * heartbeats does not hold what a compute process needs.
 *
 * Throws {@link EnvironmentError} if there is no such kind (the worker may then be older than the pipeline), or somebody else could have written it.
 */
export async function loadStage(uses: string): Promise<Stage<never>> {
  const folders = [
    ...(process.env[stageModulesVariable] ?? '').split(path.delimiter).filter(Boolean),
    ownFolder,
  ];
  const files = isName('stage kind', uses) ? folders.map((folder) => moduleFile(folder, uses)) : [];
  const file = files.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new EnvironmentError(
      `This worker has no stage kind ${JSON.stringify(uses)}.`,
      `Start a worker of the version that made the plan, or point ${stageModulesVariable} at the folder with ${uses}.ts.`,
    );
  }
  const strangers = strangersOn(
    path.resolve(file),
    `Copy the folder to a place of your own, and point ${stageModulesVariable} at it.`,
  );
  if (strangers !== undefined && path.dirname(file) !== ownFolder)
    throw new EnvironmentError(strangers.message, strangers.cure);
  const module = (await import(pathToFileURL(path.resolve(file)).href)) as { stage?: Stage<never> };
  if (module.stage?.uses !== uses) {
    throw new InputError(
      `${file} must export \`stage\` with \`uses: '${uses}'\`; got ${JSON.stringify(module.stage?.uses)}.`,
    );
  }
  return module.stage;
}
