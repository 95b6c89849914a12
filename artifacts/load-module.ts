import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { EnvironmentError, InputError } from './errors.ts';
import { moduleFile } from './module-file.mjs';
import { isOwnModule, modulesOf, schemaBeside } from './own-module.ts';
import { strangersOn } from './trust.mjs';
import { liesIn, realPlaceOf } from './within.ts';

/** What modules of one's own import of the program: `import { dense } from 'epochal/kinds'`. */
const toolsName = 'epochal/kinds';
const tools = pathToFileURL(
  moduleFile(path.join(import.meta.dirname, '..', 'activities', 'kinds'), 'public'),
).href;

/** Modules that this process has loaded; they stay as they were, even if their files change. */
const loaded = new Set<string>();
let hooked = false;

/** SHA-256 of each module of one's own that a stage names, as its kind, its network or its data set; they are among the inputs of its step. */
export async function moduleDigests(
  uses: string,
  withs: Readonly<Record<string, unknown>>,
  baseDirectory: string,
): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const module of modulesOf(uses, withs))
    digests[module] = digestOf((await readModule(module, baseDirectory)).bytes);
  return digests;
}

/** What a module is for, as the schema beside it says. */
export type ModuleKind = 'stage' | 'model' | 'dataset' | 'figure';

/**
 * What a module exports. It is run only if the schema beside it says that it is of this kind, if it is the one that the step key knows, by its digest, and if
 * nobody else could have written it. A module stands alone, but for packages and `epochal/kinds`: so its digest says all that there is to say of it.
 *
 * Throws {@link InputError} if it is not there, has changed or imports a file beside it, {@link EnvironmentError} if it is another's.
 */
export async function loadModule(
  name: string,
  baseDirectory: string,
  kind: ModuleKind,
  sha256?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { bytes, file } = await readModule(name, baseDirectory);
  if (sha256 !== undefined && digestOf(bytes) !== sha256)
    throw new InputError(`${name} has changed since the study began.`, 'Run the pipeline again.');
  const strangers = strangersOn(file, 'Copy the pipeline and its modules to a place of your own.');
  if (strangers !== undefined) throw new EnvironmentError(strangers.message, strangers.cure);
  // What only happens to lie there, such as a script, is not for a pipeline to run, whoever wrote the pipeline.
  await mustBeMeantFor(kind, name, baseDirectory);
  if (!hooked) hookImports();
  hooked = true;
  const url = pathToFileURL(file).href;
  loaded.add(url);
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name} cannot be loaded: ${(error as Error).message}`, 'Mend it.');
  }
}

async function readModule(name: string, baseDirectory: string): Promise<{ bytes: Buffer; file: string }> {
  if (!isOwnModule(name)) throw new InputError(`${JSON.stringify(name)} is no module of a pipeline.`);
  const file = path.resolve(baseDirectory, name);
  if (!liesIn(file, [realPlaceOf(baseDirectory)])) throw leadsOut(name, baseDirectory);
  try {
    return { bytes: await readFile(file), file };
  } catch (error) {
    throw new InputError(
      `The module ${name} cannot be read in ${baseDirectory}: ${(error as Error).message}`,
      'Modules lie in the folder of the pipeline file or below it, on every machine that works for it.',
    );
  }
}

function leadsOut(name: string, baseDirectory: string): InputError {
  const real = realPlaceOf(path.resolve(baseDirectory, name));
  return new InputError(
    `${name} leads out of ${baseDirectory}, to ${real}.`,
    'Copy the file there in place of the link: a pipeline has all of its own in its folder.',
  );
}

async function mustBeMeantFor(kind: ModuleKind, name: string, baseDirectory: string): Promise<void> {
  const schema = schemaBeside(name);
  if (!liesIn(path.resolve(baseDirectory, schema), [realPlaceOf(baseDirectory)]))
    throw leadsOut(schema, baseDirectory);
  let said: unknown;
  try {
    said = (JSON.parse(await readFile(path.resolve(baseDirectory, schema), 'utf8')) as { kind?: unknown })
      .kind;
  } catch (error) {
    throw new InputError(
      `${schema} cannot be read: ${(error as Error).message}`,
      'Write it beside the module.',
    );
  }
  if (said === kind) return;
  throw new InputError(
    `${schema} says that the module is ${JSON.stringify(said)}, but it is used as a ${kind}.`,
    'Use it where it belongs, or correct its schema.',
  );
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function hookImports(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const isOwn = context.parentURL !== undefined && loaded.has(context.parentURL);
      if (isOwn && specifier === toolsName) return { url: tools, shortCircuit: true };
      if (isOwn && /^(\.|\/|file:)/.test(specifier)) {
        throw new InputError(
          `${path.basename(context.parentURL!)} imports ${specifier}: a module of one's own stands alone, so that its digest tells when it has changed.`,
          'Put what it needs into it, or into a package.',
        );
      }
      return next(specifier, context);
    },
  });
}

/** Whether this process runs modules of one's own. */
export function runsModules(): boolean {
  return loaded.size > 0;
}
