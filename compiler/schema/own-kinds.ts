import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isOwnModule, schemaBeside } from '../../artifacts/own-module.ts';
import { artifactKinds } from '../../artifacts/reference.ts';
import { liesIn, realPlaceOf } from '../../artifacts/within.ts';
import { didYouMean } from '../diagnostics/did-you-mean.ts';
import { isMap, type Path } from '../values.ts';
import { type FigureKind, type Kinds, type KindWithOptions, useFigureKinds } from './kinds.ts';
import type { SchemaNode } from './schema-transform.ts';
import { type StageSchema, useSchemas, validatorOf } from './schemas.ts';
import { useStageKinds } from './stage-kinds.ts';

/** What a pipeline's own modules add to the language. */
export interface OwnKinds extends Kinds {
  /** By the module's name. */
  readonly stages: Readonly<Record<string, StageSchema>>;
}

/** A module of which the language knows nothing, or nothing right. */
export interface OwnKindProblem {
  readonly module: string;
  readonly message: string;
  readonly cure: string;
}

const none: OwnKinds = { models: [], datasets: [], figures: [], stages: {} };

/** The language with these kinds beside the built-in ones, until it is called again: pipelines are compiled one after another. */
export function useOwnKinds(own: OwnKinds = none): void {
  useFigureKinds(own.figures);
  useSchemas(own, own.stages);
  useStageKinds();
}

/** Reads the schemas that lie, below `folder`, beside these modules. */
export function readOwnKinds(
  modules: Iterable<string>,
  folder: string,
): { readonly own: OwnKinds; readonly problems: readonly OwnKindProblem[] } {
  const models: KindWithOptions[] = [];
  const datasets: KindWithOptions[] = [];
  const figures: FigureKind[] = [];
  const stages: Record<string, StageSchema> = {};
  const problems: OwnKindProblem[] = [];
  for (const module of modules) {
    const name = schemaBeside(module);
    try {
      if (!liesIn(join(folder, name), [realPlaceOf(folder)]))
        throw new WrongSchema(`its schema ${name} leads out of the folder of the pipeline`, 'copy it there');
      const schema = parsed(readFileSync(join(folder, name), 'utf8'), name);
      const { kind, ...about } = schema;
      if (kind === 'stage') stages[module] = stageSchema(about, name);
      else {
        check(`${String(kind)}`, schema, name);
        const named = { ...about, name: module };
        if (kind === 'model') models.push(named as unknown as KindWithOptions);
        if (kind === 'dataset') datasets.push(named as unknown as KindWithOptions);
        if (kind === 'figure') figures.push(named as unknown as FigureKind);
      }
    } catch (error) {
      problems.push({ module, ...told(error, module, folder) });
    }
  }
  return { own: { models, datasets, figures, stages }, problems };
}

/** Every text in a value that is the name of a module, and where it first stands. */
export function modulesIn(value: unknown): ReadonlyMap<string, Path> {
  const found = new Map<string, Path>();
  const seen = new Set<unknown>(); // An alias stands for the same object each time.
  const walk = (part: unknown, path: Path): void => {
    if (typeof part === 'object' && seen.has(part)) return;
    seen.add(part);
    if (isOwnModule(part)) found.set(part, found.get(part) ?? path);
    else if (Array.isArray(part)) for (const [index, item] of part.entries()) walk(item, [...path, index]);
    else if (isMap(part)) for (const [key, inner] of Object.entries(part)) walk(inner, [...path, key]);
  };
  walk(value, []);
  return found;
}

class WrongSchema extends Error {
  readonly cure: string;
  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}

function told(error: unknown, module: string, folder: string): { message: string; cure: string } {
  const name = schemaBeside(module);
  if (error instanceof WrongSchema) return { message: error.message, cure: error.cure };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return { message: `its schema ${name} is not there`, cure: nearest(module, folder) };
  return { message: `its schema ${name} cannot be read: ${message}`, cure: 'mend it' };
}

/** A module that has a schema, if one in the same folder is called nearly so. */
function nearest(module: string, folder: string): string {
  const ending = /\.[^.]+$/.exec(module)![0];
  const place = dirname(module);
  const files = existsSync(join(folder, place))
    ? readdirSync(join(folder, place), { withFileTypes: true })
    : [];
  const there = files
    .filter((entry) => entry.isFile() && entry.name.endsWith('.schema.json'))
    .map((entry) => `${place}/${entry.name.replace('.schema.json', ending)}`);
  const meant = didYouMean(module, there);
  return meant === undefined ? 'write it beside the module' : `did you mean \`${meant}\`?`;
}

function parsed(text: string, name: string): SchemaNode {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WrongSchema(`its schema ${name} is no JSON: ${(error as Error).message}`, 'mend it');
  }
  const kind = (value as SchemaNode | null)?.kind;
  if (typeof kind === 'string' && ['stage', 'model', 'dataset', 'figure'].includes(kind))
    return value as SchemaNode;
  throw new WrongSchema(
    `its schema ${name} does not say of what kind it is`,
    'give it `"kind"`: "stage", "model", "dataset" or "figure"',
  );
}

/** The schema of `with`, as those of the built-in stages are. */
function stageSchema(schema: SchemaNode, name: string): StageSchema {
  check('stage', schema, name);
  const { stage, ...rest } = schema;
  try {
    validatorOf(rest);
  } catch (error) {
    throw new WrongSchema(`its schema ${name} is not sound: ${(error as Error).message}`, 'mend it');
  }
  return { ...rest, stage: { inputs: {}, ...(stage as object), compute: true } } as unknown as StageSchema;
}

/** What the schema beside a module must have, by the kind of the module. */
const metaSchemas: Readonly<Record<string, SchemaNode>> = {
  stage: {
    type: 'object',
    required: ['type', 'properties', 'stage'],
    properties: {
      type: { const: 'object' },
      properties: { type: 'object' },
      stage: {
        type: 'object',
        required: ['version', 'outputs'],
        additionalProperties: false,
        properties: {
          version: { type: 'integer', minimum: 1 },
          scope: { enum: ['cell'] },
          inputs: { type: 'object' },
          outputs: { type: 'object', minProperties: 1, additionalProperties: { enum: [...artifactKinds] } },
        },
      },
    },
  },
  ...Object.fromEntries(
    ['model', 'dataset'].map((kind) => [
      kind,
      {
        type: 'object',
        required: ['description', 'options'],
        additionalProperties: false,
        properties: {
          kind: { const: kind },
          description: { type: 'string' },
          needsPath: { const: true },
          options: {
            type: 'object',
            additionalProperties: {
              type: 'object',
              required: ['description'],
              properties: { description: { type: 'string' } },
            },
          },
        },
      },
    ]),
  ),
  figure: {
    type: 'object',
    required: ['title', 'shows', 'of', 'from'],
    additionalProperties: false,
    properties: {
      kind: { const: 'figure' },
      title: { type: 'string' },
      shows: { type: 'string' },
      of: { type: 'string' },
      from: { enum: [...artifactKinds] },
      fit: { enum: [...artifactKinds] },
    },
  },
};

function check(kind: string, schema: SchemaNode, name: string): void {
  const validate = validatorOf(metaSchemas[kind]!);
  if (validate(schema)) return;
  const [error] = validate.errors ?? [];
  const { instancePath = '', message = '', params = {} } = error ?? {};
  const place = instancePath === '' ? '' : ` at ${instancePath.slice(1).replaceAll('/', '.')}`;
  throw new WrongSchema(
    `its schema ${name} is not that of a ${kind}${place}: it ${message}`,
    `mend it: ${JSON.stringify(params)}`,
  );
}
