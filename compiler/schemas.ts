import { readdirSync, readFileSync } from 'node:fs';
import type { AnySchemaObject, ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ArtifactKind } from '../artifacts/reference.ts';
import type { Json } from './plan.ts';
import type { Path } from './values.ts';

/** Where expressions may stand, and so which names they know. */
export type Zone = 'params' | 'matrix' | 'study' | 'cell' | 'collect' | 'report';

/** What the custom keywords of the schemas say about one value. */
export interface Sites {
  /** Values that are artifacts, and of which kinds (`artifact`). */
  readonly artifacts: readonly { readonly path: Path; readonly kinds: readonly ArtifactKind[] }[];
  /** Values that only say where something lies, not what it is (`location`). */
  readonly locations: readonly Path[];
  /** Values in which expressions may stand (`expressions`). */
  readonly zones: readonly { readonly path: Path; readonly zone: Zone }[];
}

export interface Validation extends Sites {
  readonly errors: readonly ErrorObject[];
}

/** Collects sites while ajv walks; it is `this` of the keywords' functions. */
interface Collector {
  readonly artifacts: { path: Path; kinds: readonly ArtifactKind[] }[];
  readonly locations: Path[];
  readonly zones: { path: Path; zone: Zone }[];
}

const folder = new URL('../schemas/', import.meta.url);
const read = (name: string): AnySchemaObject => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));

/** The schemas as they are written, by file name relative to `schemas/`. */
export const schemas = {
  language: read('language.schema.json'),
  model: read('model.schema.json'),
  /** By stage kind. */
  stages: Object.fromEntries(
    readdirSync(new URL('stages/', folder))
      .filter((name) => name.endsWith('.schema.json'))
      .sort()
      .map((name) => [name.replace('.schema.json', ''), read(`stages/${name}`)]),
  ) as Readonly<Record<string, AnySchemaObject>>,
};

const ajv = createAjv(false);
const filling = createAjv(true);

function createAjv(useDefaults: boolean): Ajv2020 {
  const instance = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: true,
    passContext: true,
    useDefaults,
  });
  for (const keyword of ['stage', 'expects']) instance.addKeyword({ keyword });
  instance.addKeyword({
    keyword: 'artifact',
    schemaType: ['string', 'array'],
    errors: false,
    validate(this: Collector, kinds: ArtifactKind | ArtifactKind[], _data, _parent, context) {
      this.artifacts.push({ path: parsePointer(context?.instancePath ?? ''), kinds: [kinds].flat() });
      return true;
    },
  });
  instance.addKeyword({
    keyword: 'location',
    schemaType: 'boolean',
    errors: false,
    validate(this: Collector, isLocation: boolean, _data, _parent, context) {
      if (isLocation) this.locations.push(parsePointer(context?.instancePath ?? ''));
      return true;
    },
  });
  instance.addKeyword({
    keyword: 'expressions',
    schemaType: 'string',
    errors: false,
    validate(this: Collector, zone: Zone, _data, _parent, context) {
      this.zones.push({ path: parsePointer(context?.instancePath ?? ''), zone });
      return true;
    },
  });
  instance.addSchema(schemas.model).addSchema(schemas.language);
  for (const schema of Object.values(schemas.stages)) instance.addSchema(schema);
  return instance;
}

/** Validates a pipeline's skeleton, with its expressions still in it. */
export function validateLanguage(data: Json): Validation {
  return validate(ajv, 'language.schema.json', data);
}

/** Validates a stage's own keys (`uses`, `resources`, `retry`, `timeout`) and fills the defaults into `data`. */
export function fillStage(data: Json): Validation {
  return validate(filling, 'language.schema.json#/$defs/Stage', data);
}

/** Validates `strategy` and fills the defaults into `data`. */
export function fillStrategy(data: Json): Validation {
  return validate(filling, 'language.schema.json#/properties/strategy', data);
}

/** Validates a stage kind's `with` as it is. */
export function validateWith(uses: string, data: Json): Validation {
  return validate(ajv, `stages/${uses}.schema.json`, data);
}

/** Validates a stage kind's `with` and fills the schema's defaults into `data`. */
export function fillWith(uses: string, data: Json): Validation {
  return validate(filling, `stages/${uses}.schema.json`, data);
}

function validate(instance: Ajv2020, id: string, data: Json): Validation {
  const check = instance.getSchema(id) as ValidateFunction | undefined;
  if (check === undefined) throw new Error(`There is no schema ${id}.`);
  const sites: Collector = { artifacts: [], locations: [], zones: [] };
  const errors = check.call(sites, data) ? [] : [...(check.errors ?? [])];
  return { ...sites, errors };
}

/** `/stages/train/with/0` as keys and indices. */
export function parsePointer(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
