/**
 * A module of the user's own that a pipeline names: `./folder/name.ts`, in the pipeline's folder or below it. It stands where a built-in kind has its name; what
 * the language has to know of it stands beside it, in `name.schema.json`, so that its code runs only where the kind itself does.
 */
const pattern = /^\.\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*([A-Za-z0-9_-][A-Za-z0-9._-]*)\.(?:ts|mts|js|mjs)$/;

/** Whether a name is that of a module of one's own. No such name leads out of the pipeline's folder but by a link that lies in it. */
export function isOwnModule(name: unknown): name is string {
  return typeof name === 'string' && name.length <= 200 && pattern.test(name) && !name.includes('..');
}

/** The modules that a stage names: as its kind, its data set or its network. */
export function modulesOf(uses: string, withs: Readonly<Record<string, unknown>>): string[] {
  const network = (withs.model as { readonly name?: unknown } | undefined)?.name;
  return [uses, uses === 'dataset' ? withs.name : undefined, network].filter(isOwnModule);
}

/** The name of the schema beside a module. */
export function schemaBeside(module: string): string {
  return module.replace(/\.[^.]+$/, '.schema.json');
}
