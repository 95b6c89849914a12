/** deploy/ before the linters of others, as far as they come from where Python packages do; `npm run check:deploy` asks those in Go too. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { readSetupStamp } from '../../runtime/setup-stamp.ts';

const root = path.join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Copies deploy/, changes one file of it, and checks it. */
async function check(file?: string, change: (text: string) => string = (text) => text) {
  const copy = mkdtempSync(path.join(folder, 'copy-'));
  cpSync(path.join(root, 'deploy'), path.join(copy, 'deploy'), { recursive: true });
  if (file !== undefined) {
    const place = path.join(copy, 'deploy', file);
    const [before, after] = [readFileSync(place, 'utf8'), change(readFileSync(place, 'utf8'))];
    expect(after).not.toBe(before);
    writeFileSync(place, after);
  }
  const { program } = readSetupStamp().linters!;
  const env = { ...process.env, EPOCHAL_LINTERS: path.dirname(program) };
  return await promisify(execFile)('bash', [path.join(copy, 'deploy', 'check.sh'), '--quick'], { env }).then(
    ({ stdout }) => ({ passes: true, words: stdout }),
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ passes: false, words: stdout + stderr }),
  );
}

test('deploy/ passes hadolint, shellcheck, yamllint and the schemas of Compose and Kubernetes', async () => {
  const { passes, words } = await check();
  expect(words).toMatch(/deploy\/ passes\.\n$/);
  expect(passes).toBe(true);
});

test.each([
  ['Dockerfile', 'WORKDIR /opt/epochal', 'WORKDIR opt', /DL3000/],
  ['compose/compose.yaml', 'restart: unless-stopped', 'restrat: unless-stopped', /restrat/],
  ['slurm/worker.sbatch', '#!/', 'cd "$nowhere" | cd\n#!/', /SC\d{4}/],
  ['kubernetes/worker-cpu.yaml', 'replicas:', 'replica:', /replica/],
  ['kubernetes/worker-gpu.yaml', 'kind:', 'kind:  ', /too many spaces/],
])('a fault in %s is found', async (file, right, wrong, told) => {
  const { passes, words } = await check(file, (text) => text.replace(right, wrong));
  expect(words).toMatch(told);
  expect(passes).toBe(false);
});
