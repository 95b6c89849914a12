import { readFileSync } from 'node:fs';
import path from 'node:path';

const known = new Map<string, Set<string>>();

/** The files of the project that a file imports, and those that they import. */
export function importsOf(file: string): ReadonlySet<string> {
  const before = known.get(file);
  if (before !== undefined) return before;
  const all = new Set<string>();
  known.set(file, all);
  for (const [, relative] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+\.ts)'/g)) {
    const imported = path.join(path.dirname(file), relative!);
    all.add(imported);
    for (const further of importsOf(imported)) all.add(further);
  }
  return all;
}
