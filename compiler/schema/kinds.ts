import { readFileSync } from 'node:fs';
import type { ArtifactKind } from '../../artifacts/reference.ts';
import { omit, type SchemaNode, transformSchema } from './schema-transform.ts';

/** A kind of network or of data set, as its own file describes it. */
export interface KindWithOptions {
  readonly name: string;
  readonly description: string;
  /** JSON Schemas; one with neither a default nor `optional` has to be given. */
  readonly options: Readonly<Record<string, SchemaNode>>;
}

/** A kind of figure: its default title, what it shows, what it is drawn from, and the fit that can be drawn into it. */
export interface FigureKind {
  /** As in `kind:`, and the name of its file. */
  readonly name: string;
  /** Where the pipeline gives none. */
  readonly title: string;
  /** What is seen, in a sentence. */
  readonly shows: string;
  /** Stage kind whose artifact it is made for. */
  readonly of: string;
  readonly from: ArtifactKind;
  readonly fit?: ArtifactKind;
  /** Its place among those that are drawn, of each artifact of their kind, where the report names no figures. */
  readonly byDefault?: number;
}

/** What the files of the kinds say of themselves, as `npm run generate` gathers it. */
export interface Kinds {
  readonly models: readonly KindWithOptions[];
  readonly datasets: readonly KindWithOptions[];
  readonly figures: readonly FigureKind[];
}

export const kinds = JSON.parse(
  readFileSync(new URL('../../schemas/kinds.json', import.meta.url), 'utf8'),
) as Kinds;

const figures: Record<string, FigureKind> = {};

/** Every kind of figure, by its name. */
export const figureKinds: Readonly<Record<string, FigureKind>> = figures;

/** Makes `figureKinds` the built-in ones and these. */
export function useFigureKinds(own: readonly FigureKind[]): void {
  for (const name of Object.keys(figures)) delete figures[name];
  for (const kind of [...kinds.figures, ...own]) figures[kind.name] = Object.freeze(kind);
}
useFigureKinds([]);

/** Those that are drawn where the report names no figures, in their order. */
export const figuresByDefault: Readonly<Record<string, FigureKind>> = Object.fromEntries(
  kinds.figures
    .filter(({ byDefault }) => byDefault !== undefined)
    .sort((a, b) => a.byDefault! - b.byDefault!)
    .map((kind) => [kind.name, kind]),
);

/** What a kind is called in messages. */
const nouns = { models: 'network', datasets: 'data set' } as const;

/**
 * A schema in which `kinds` has become what it stands for: beside `properties`, the options of all networks or data sets, each for those that have it and
 * refused for others; in a property, the names of the figures.
 */
export function withKinds(
  schema: SchemaNode,
  own: Kinds = { models: [], datasets: [], figures: [] },
): SchemaNode {
  const all = {
    models: [...kinds.models, ...own.models],
    datasets: [...kinds.datasets, ...own.datasets],
    figures: [...kinds.figures, ...own.figures],
  };
  return transformSchema(schema, (node) => {
    if (node.kinds === 'models' || node.kinds === 'datasets')
      return withOptions(omit(node, ['kinds']), all[node.kinds], nouns[node.kinds]);
    return node.kinds === 'figures' ? namesOfFigures(omit(node, ['kinds']), all.figures) : node;
  });
}

function namesOfFigures(node: SchemaNode, figures: readonly FigureKind[]): SchemaNode {
  const description = figures.map(({ name, title }) => `${name}: ${title}.`).join(' ');
  return { enum: figures.map(({ name }) => name), description, ...node };
}

function withOptions(node: SchemaNode, all: readonly KindWithOptions[], noun: string): SchemaNode {
  const names = all.map(({ name }) => name);
  const description = all.map((kind) => `${kind.name}: ${kind.description}.`).join(' ');
  const options = [...new Set(all.flatMap(({ options }) => Object.keys(options)))];
  const ownersOf = (option: string) => all.filter(({ options }) => Object.hasOwn(options, option));
  const refusals = options.flatMap((option) => {
    const owners = ownersOf(option).map(({ name }) => name);
    const others = names.filter((name) => !owners.includes(name));
    const expects = `no \`${option}\` for this ${noun}: only ${listOf(owners)} ${owners.length === 1 ? 'has' : 'have'} it`;
    return others.length === 0 ? [] : [whenNamed(others, { properties: { [option]: { not: {}, expects } } })];
  });
  const defaults = all.map((kind) => [kind.name, defaultsOf(kind)] as const);
  return {
    ...node,
    defaults: { by: 'name', of: Object.fromEntries(defaults.filter(([, of]) => Object.keys(of).length > 0)) },
    properties: {
      name: { enum: names, description },
      ...Object.fromEntries(options.map((option) => [option, merged(option, ownersOf(option))])),
      ...(node.properties as Record<string, SchemaNode>),
    },
    allOf: [...refusals, ...all.flatMap((kind) => ownSchema(kind, all))],
  };
}

function defaultsOf({ options }: KindWithOptions): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, { default: fallback }]) =>
      fallback === undefined ? [] : [[name, fallback]],
    ),
  );
}

/** An option of several kinds: what all of them take, and what it means for each. Where they take different values, {@link ownSchema} says which. */
function merged(option: string, owners: readonly KindWithOptions[]): SchemaNode {
  const schemas = schemasOf(option, owners);
  const meanings = Map.groupBy(owners, ({ options }) => String(options[option]!.description));
  const description =
    meanings.size === 1
      ? [...meanings.keys()][0]
      : [...meanings]
          .map(([meaning, of]) => `${listOf(of.map(({ name }) => name))}: ${uncapitalized(meaning)}`)
          .join(' ');
  return { ...(areEqual(schemas) ? schemas[0] : {}), description };
}

/** What only holds for one kind: the options that it needs, and those that take other values than an option of this name of another kind. */
function ownSchema({ name, options }: KindWithOptions, all: readonly KindWithOptions[]): SchemaNode[] {
  const required = Object.keys(options).filter(
    (option) => options[option]!.default === undefined && options[option]!.optional !== true,
  );
  const differing = Object.keys(options).filter((option) => !areEqual(schemasOf(option, all)));
  if (required.length + differing.length === 0) return [];
  const properties = Object.fromEntries([
    // Named again, since ajv wants what is required to be known where it is.
    ...required.map((option) => [option, true]),
    ...differing.map((option) => [option, plain(options[option]!)]),
  ]);
  return [whenNamed([name], { properties, ...(required.length === 0 ? {} : { required }) })];
}

/** What the kinds that have an option of this name take for it. */
function schemasOf(option: string, all: readonly KindWithOptions[]): SchemaNode[] {
  return all.flatMap(({ options }) => (Object.hasOwn(options, option) ? [plain(options[option]!)] : []));
}

function whenNamed(names: readonly string[], then: SchemaNode): SchemaNode {
  const name = names.length === 1 ? { const: names[0] } : { enum: names };
  return { if: { properties: { name }, required: ['name'] }, then };
}

/** The schema of an option's values. */
function plain(option: SchemaNode): SchemaNode {
  return omit(option, ['description', 'default', 'optional']);
}

function areEqual(schemas: readonly SchemaNode[]): boolean {
  return new Set(schemas.map((schema) => JSON.stringify(schema))).size === 1;
}

function listOf(names: readonly string[]): string {
  const [last, ...before] = names.toReversed();
  return before.length === 0 ? last! : `${before.toReversed().join(', ')} and ${last}`;
}

function uncapitalized(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
