import { figurePage } from './figure-docs.ts';
import { keysPage } from './language-docs.ts';
import { publishedSchema } from './published-schema.ts';
import { stagePages } from './stage-docs.ts';
import { typesText } from './types-text.ts';

/** What is derived from the schemas, by path below the root of the project. */
export async function generatedFiles(): Promise<Record<string, string>> {
  const pages = Object.entries(stagePages()).map(([name, text]) => [`docs/stages/${name}`, text] as const);
  return {
    'schemas/types.ts': await typesText(),
    'schemas/pipeline.schema.json': `${JSON.stringify(publishedSchema(), null, 2)}\n`,
    'docs/keys.md': keysPage(),
    'docs/figures-of-a-report.md': figurePage(),
    ...Object.fromEntries(pages),
  };
}
