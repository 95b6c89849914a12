/** A home with nothing but its key and the bundle of the workflow code: bundling takes seconds, and it is the same for all tests. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openHome } from '../runtime/home.ts';
import { bundleWorkflows } from '../runtime/workers/workflow-bundle.ts';

const variable = 'EPOCHAL_TEST_BUNDLED_HOME';

/** Before the first test that may need it. */
export default async function setUp(): Promise<(() => void) | undefined> {
  if (process.env[variable] !== undefined) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-bundled-'));
  process.env[variable] = folder;
  await bundleWorkflows(openHome({ home: folder }));
  return () => rmSync(folder, { recursive: true });
}

/** Makes `folder` a home like that one. */
export function copyBundledHome(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cpSync(process.env[variable]!, folder, { recursive: true });
  return folder;
}
