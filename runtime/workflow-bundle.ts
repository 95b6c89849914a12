import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const workflowsFolder = path.join(import.meta.dirname, '..', 'workflows');

/**
 * The workflow code as one script, which the SDK runs in its sandbox. Bundling takes two seconds, so the script is kept in `folder` under
 * the digest of the sources and the SDK's version.
 */
export async function bundleWorkflows(folder: string): Promise<{ readonly codePath: string }> {
  const codePath = path.join(folder, `workflows-${await sourceDigest()}.js`);
  try {
    await readFile(codePath);
  } catch {
    const workflowsPath = path.join(workflowsFolder, 'index.ts');
    const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
    await mkdir(folder, { recursive: true });
    const temporary = `${codePath}.${process.pid}`;
    await writeFile(temporary, code);
    await rename(temporary, codePath);
  }
  return { codePath };
}

async function sourceDigest(): Promise<string> {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as {
    version: string;
  };
  const hash = createHash('sha256').update(version);
  for (const name of (await readdir(workflowsFolder)).sort()) {
    hash.update(name).update(await readFile(path.join(workflowsFolder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
