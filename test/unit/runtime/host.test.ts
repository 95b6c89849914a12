import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findHome } from '../../../runtime/home.ts';
import { leaseOf, refuseOtherHosts, thisHost } from '../../../runtime/server/host.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a home whose server runs on another host is refused until that one has not been heard of for a while', async () => {
  const home = findHome(folder);
  await refuseOtherHosts(home);
  writeFileSync(leaseOf(home), thisHost());
  await refuseOtherHosts(home);
  writeFileSync(leaseOf(home), 'node7 boot pid:[1]');
  await expect(refuseOtherHosts(home)).rejects.toMatchObject({
    message: expect.stringContaining('in use on another machine or in another container, node7'),
    cure: expect.stringContaining('--home'),
  });
  const past = Date.now() / 1000 - 60;
  utimesSync(leaseOf(home), past, past);
  await refuseOtherHosts(home);
  expect(readdirSync(folder)).toEqual([path.basename(leaseOf(home))]);
});
