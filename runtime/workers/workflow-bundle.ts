import { createHash, createHmac } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { moduleFile } from '../../artifacts/module-file.mjs';
import { isTrusted, strangersOn } from '../../artifacts/trust.mjs';
import type { Home } from '../home.ts';
import { readKey } from '../seal/home-key.ts';
import { buildIdOf } from '../server/deployment.ts';
import { cacheFolder } from '../setup/places.mjs';

const workflowsFolder = path.join(import.meta.dirname, '..', '..', 'workflows');

/** The workflow code of this version of the program. */
export interface WorkflowBundle {
  readonly code: string;
  /** By which Temporal knows its workers from those of other versions. */
  readonly buildId: string;
}

/**
 * The workflow code as one script, which the SDK runs in its sandbox. Bundling takes two seconds, so the script is kept under the digest of the sources
 * and the SDK's version: in the home, after a line with its seal, since what another has put there is not run; and for the next new home in the cache
 * folder, as long as that is closed to others.
 */
export async function bundleWorkflows(home: Home): Promise<WorkflowBundle> {
  const sealOf = (code: string): string => createHmac('sha256', readKey(home)).update(code).digest('hex');
  const digest = await sourceDigest();
  const buildId = buildIdOf(digest);
  const name = `workflows-${digest}.js`;
  const file = path.join(home.bundles, name);
  const kept = await readFile(file, 'utf8').catch(() => '');
  const start = kept.indexOf('\n') + 1;
  const known = kept.slice(start);
  if (start > 0 && kept.slice(0, start - 1) === sealOf(known)) return { code: known, buildId };
  const code = await cachedBundle(path.join(cacheFolder(), 'workflows', name));
  await writeBundle(file, `${sealOf(code)}\n${code}`);
  return { code, buildId };
}

async function cachedBundle(file: string): Promise<string> {
  if (isTrusted(file) && strangersOn(file, '') === undefined) {
    const kept = await readFile(file, 'utf8').catch(() => '');
    if (kept !== '') return kept;
  }
  const { code } = await bundleWorkflowCode({
    workflowsPath: moduleFile(workflowsFolder, 'index'),
    workflowInterceptorModules: ['seals', 'traces'].map((name) => moduleFile(workflowsFolder, name)),
    logger: new DefaultLogger('WARN'),
  });
  // A cache that cannot be written costs the next home two seconds.
  await writeBundle(file, code).catch(() => undefined);
  return code;
}

async function writeBundle(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}

async function sourceDigest(): Promise<string> {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as {
    version: string;
  };
  const hash = createHash('sha256').update(version);
  // The rooms whose code goes into the sandbox.
  for (const folder of [workflowsFolder, path.join(workflowsFolder, '..', 'artifacts')]) {
    const sources = (await readdir(folder, { recursive: true })).filter((name) => path.extname(name) !== '');
    for (const name of sources.sort()) hash.update(name).update(await readFile(path.join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
