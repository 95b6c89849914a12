import type { SchemaNode } from '../schema/schema-transform.ts';
import { schemas } from '../schema/schemas.ts';
import { generated, keyTable, lines } from './docs-tables.ts';

/** The page `docs/keys.md`: every key of a pipeline outside `with`. */
export function keysPage(): string {
  return lines([
    generated,
    '# Keys of a pipeline',
    '',
    "[language.md](language.md) says how they work together; the keys of each stage kind's `with` are in [stages/](stages/README.md), figures in",
    '[figures-of-a-report.md](figures-of-a-report.md). `<name>` stands for a name of yours.',
    '',
    ...keyTable(schemas.language as SchemaNode),
  ]);
}
