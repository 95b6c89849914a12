import { readdirSync, readFileSync } from 'node:fs';
import type { AnySchemaObject, ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { isOwnModule } from '../../artifacts/own-module.ts';
import type { ArtifactKind } from '../../artifacts/reference.ts';
import type { Json } from '../plan.ts';
import type { Path } from '../values.ts';
import { type Condition, dropUsual } from './conditions.ts';
import { type Kinds, withKinds } from './kinds.ts';

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

const folder = new URL('../../schemas/', import.meta.url);
const read = (name: string): AnySchemaObject =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as AnySchemaObject;

/** The schema of a stage kind's `with`, and what its `stage` says of the kind. */
export type StageSchema = AnySchemaObject;

interface Schemas {
  readonly language: AnySchemaObject;
  readonly model: AnySchemaObject;
  /** By stage kind. */
  readonly stages: Readonly<Record<string, StageSchema>>;
}

/** As they are written. */
const written: Schemas = {
  language: read('language.schema.json'),
  model: read('model.schema.json'),
  stages: Object.fromEntries(
    readdirSync(new URL('stages/', folder))
      .filter((name) => name.endsWith('.schema.json'))
      .sort()
      .map((name) => [name.replace('.schema.json', ''), read(`stages/${name}`)]),
  ),
};

/** The schemas of `schemas/`, with the kinds of networks, data sets and figures in them. */
export const schemas: Schemas = { ...withKindsIn(written) };

function withKindsIn(all: Schemas, own?: Kinds): Schemas {
  return {
    language: withKinds(all.language, own),
    model: withKinds(all.model, own),
    stages: Object.fromEntries(
      Object.entries(all.stages).map(([uses, schema]) => [uses, withKinds(schema, own)]),
    ),
  };
}

/** Defaults that depend on another key: by the value of `by`, or of all, `unless` this key is there; each a value, or made of a number or value that stands elsewhere. */
export interface DependentDefaults {
  readonly by?: string;
  readonly unless?: string;
  readonly of: Readonly<Record<string, Readonly<Record<string, Json | DerivedDefault>>>>;
}

/** The value at `from` (a key beside, or `../` for each level above), times and plus these numbers. */
interface DerivedDefault {
  readonly from: string;
  readonly times?: number;
  readonly plus?: number;
}

let ajv = createAjv(false);
let filling = createAjv(true);
let isExtended = false;

/** Makes `schemas` those of the program with these kinds and stages beside the built-in ones. */
export function useSchemas(own: Kinds, stages: Readonly<Record<string, StageSchema>>): void {
  const kinds = own.models.length + own.datasets.length + own.figures.length + Object.keys(stages).length;
  if (kinds === 0 && !isExtended) return;
  isExtended = kinds > 0;
  const named = Object.fromEntries(
    Object.entries(stages).map(([uses, schema]) => [uses, { ...schema, $id: idOf(uses) }]),
  );
  Object.assign(schemas, withKindsIn({ ...written, stages: { ...written.stages, ...named } }, own));
  ajv = createAjv(false);
  filling = createAjv(true);
}

/** The id of the schema of a stage kind's `with`; that of a module is no relative path, which would be resolved. */
function idOf(uses: string): string {
  return `stages/${isOwnModule(uses) ? `own-${encodeURIComponent(uses)}` : uses}.schema.json`;
}

/** A check by a schema that stands alone. Throws `Error` if it is not sound. */
export function validatorOf(schema: object): ValidateFunction {
  const instance = createAjv(false);
  return instance.compile(schema);
}

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
    keyword: 'defaults',
    schemaType: 'object',
    type: 'object',
    before: 'properties',
    errors: false,
    validate(this: Collector, defaults: DependentDefaults, data: Record<string, Json>, _parent, context) {
      if (useDefaults) fillDependent(defaults, data, context?.rootData as Json, context?.instancePath ?? '');
      return true;
    },
  });
  instance.addKeyword({
    keyword: 'decayIsSchedule',
    schemaType: 'boolean',
    type: 'object',
    before: 'properties',
    errors: false,
    validate(_folds: boolean, data: Record<string, Json>) {
      if (useDefaults) foldDecay(data);
      return true;
    },
  });
  instance.addKeyword({
    keyword: 'startIsRest',
    schemaType: 'boolean',
    type: 'object',
    errors: false,
    validate(_fills: boolean, data: Record<string, Json>) {
      if (useDefaults) fillStart(data);
      return true;
    },
  });
  instance.addKeyword({
    keyword: 'usual',
    schemaType: 'object',
    type: 'object',
    errors: false,
    validate(usual: Readonly<Record<string, readonly Condition[]>>, data: Record<string, Json>) {
      if (useDefaults) dropUsual(usual, data);
      return true;
    },
  });
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

function fillDependent(
  { by, unless, of }: DependentDefaults,
  data: Record<string, Json>,
  root: Json,
  pointer: string,
): void {
  if (unless !== undefined && data[unless] !== undefined) return;
  const defaults = of[by === undefined ? 'all' : String(data[by])] ?? {};
  for (const [key, value] of Object.entries(defaults)) {
    if (data[key] !== undefined) continue;
    const filled = isDerived(value) ? derive(value, root, pointer) : structuredClone(value);
    if (filled !== undefined) data[key] = filled;
  }
}

/** `decay: x` is short for an exponential schedule, and none of both for a constant one: equal settings shall look equal. */
function foldDecay(optimizer: Record<string, Json>): void {
  const { schedule, decay = 1 } = optimizer;
  if (schedule !== undefined || typeof decay !== 'number' || decay <= 0 || decay > 1) return;
  optimizer.schedule = decay === 1 ? { name: 'constant' } : { name: 'exponential', decay };
  optimizer.decay = 1;
}

interface ToyLoss {
  readonly name?: Json;
  readonly eigenvalues?: Json;
  readonly range?: { readonly count?: Json };
  readonly width?: Json;
}

/** A toy starts at the minimum of a quadratic; in a valley at |u| = 1, spread over all components, and v = 2, from where gradient descent ends at v = sqrt(3). */
function fillStart(toy: Record<string, Json>): void {
  if (toy.start !== undefined) return;
  const { name, eigenvalues, range, width } = (toy.loss ?? {}) as ToyLoss;
  const directions = Array.isArray(eigenvalues) ? eigenvalues.length : range?.count;
  if (name === 'quadratic' && typeof directions === 'number') toy.start = repeated(0, directions);
  if (name === 'valley' && typeof width === 'number')
    toy.start = [...repeated(1 / Math.sqrt(width), width), 2];
}

function repeated(value: number, count: number): number[] {
  return Array.from({ length: Number.isSafeInteger(count) && count > 0 ? count : 0 }, () => value);
}

export function isDerived(value: Json | DerivedDefault): value is DerivedDefault {
  return typeof value === 'object' && value !== null && 'from' in value;
}

function derive(
  { from, times = 1, plus = 0 }: DerivedDefault,
  root: Json,
  pointer: string,
): Json | undefined {
  const levels = from.split('../').length - 1;
  const path = parsePointer(pointer);
  const place = [...path.slice(0, path.length - levels), from.replaceAll('../', '')];
  const value = place.reduce<Json | undefined>(
    (part, key) => (part as Record<string, Json> | undefined)?.[key],
    root,
  );
  return typeof value === 'number' ? value * times + plus : value;
}

/** Validates a pipeline's skeleton, with its expressions still in it. */
export function validateLanguage(data: Json): Validation {
  return validate(ajv, 'language.schema.json', data);
}

/** Validates a stage's own keys (`uses`, `resources`, `retry`, `timeout`) and fills the defaults into `data`. */
export function fillStage(data: Json): Validation {
  return validate(filling, 'language.schema.json#/$defs/Stage', data);
}

/** Validates `defaults` as it is. */
export function validateDefaults(data: Json): Validation {
  return validate(ajv, 'language.schema.json#/properties/defaults', data);
}

/** Validates `strategy` and fills the defaults into `data`. */
export function fillStrategy(data: Json): Validation {
  return validate(filling, 'language.schema.json#/properties/strategy', data);
}

/** Validates a stage kind's `with` as it is. */
export function validateWith(uses: string, data: Json): Validation {
  return validate(ajv, idOf(uses), data);
}

/** Validates a stage kind's `with` and fills the schema's defaults into `data`. */
export function fillWith(uses: string, data: Json): Validation {
  return validate(filling, idOf(uses), data);
}

const probing = new Ajv2020({ strict: false, logger: false });

/** True if a schema would take this value, as far as it can be told from it alone. */
export function accepts(schema: object, value: unknown): boolean {
  try {
    return probing.validate(schema, value);
  } catch {
    return true; // It refers to other schemas, which are not known here.
  }
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
