import { generated, keyTable, lines } from './docs-tables.ts';
import type { SchemaNode } from './schema-transform.ts';
import { schemas } from './schemas.ts';

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
