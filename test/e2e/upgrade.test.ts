/** A user who puts the next release in the place of the last one, in the middle of a study. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import schema from '../../schemas/stages/train.schema.json' with { type: 'json' };
import { copyBundledHome } from '../bundled-home.ts';
import {
  makeRelease,
  type Release,
  reworded,
  startCommand,
  thisRelease,
  withKindVersion,
} from '../fixtures/releases.ts';
import { freshHome, gateIn } from './epochal.ts';
import { trainings } from './trainings.ts';

const place = freshHome();
const { gate, environment } = gateIn(place.home);
const file = join(place.home, 'study.yaml');
const home = (name: string) => copyBundledHome(join(place.home, name));
const raisedTo = schema.stage.version + 1;
let next: Release;
let raised: Release;

beforeAll(() => {
  next = makeRelease(join(place.home, 'next'), reworded);
  raised = makeRelease(join(place.home, 'raised'), withKindVersion('train', raisedTo));
  writeFileSync(
    file,
    trainings({
      name: 'upgraded',
      matrix: 'seed: [1, 2, 3]',
      epochs: 6,
      optimizer: 'learningRate: 0.05',
      more: '  record: { uses: record, with: { from: "${{ stages.train.state }}", epochs: 2 } }',
    }),
  );
});
afterAll(() => {
  gate.release();
  place.remove();
});

async function said(release: Release, args: readonly string[], at: string): Promise<string> {
  const command = startCommand(release, args, at, environment);
  expect([await command.ended, command.output()]).toEqual([0, expect.anything()]);
  return command.output();
}

/** Names of all artifacts of a study: the digests of their bytes. */
async function digestsOf(at: string): Promise<string[]> {
  const command = startCommand(thisRelease, ['artifacts', '--json'], at);
  await command.ended;
  return command
    .output()
    .match(/[0-9a-f]{64}/g)!
    .sort();
}

test('a study that the last release began ends with the next one, to the same bytes', async () => {
  const [upgraded, quiet] = [home('upgraded'), home('quiet')];
  gate.hold('train-2');
  const begun = startCommand(thisRelease, ['run', file, '--concurrency', '1'], upgraded, environment);
  await begun.until('train: ');
  await expect.poll(() => gate.met('train-2')).toBeDefined();
  begun.child.kill('SIGINT');
  expect(await begun.ended).toBe(130);
  gate.release();

  const ended = await said(next, ['run', file], upgraded);
  expect(ended).toContain(', already running');
  expect(ended).not.toContain('anew');
  expect(ended).toContain('3 of 3 cells');
  await said(thisRelease, ['run', file], quiet);
  expect(await digestsOf(upgraded)).toEqual(await digestsOf(quiet));
});

test('of a stage kind whose version was raised, plan and run say what is made anew, and why', async () => {
  const at = home('raised');
  await said(thisRelease, ['run', file], at);
  const plan = await said(raised, ['plan', file], at);
  expect(plan).toContain(
    `the result in the store is of version ${raisedTo - 1} of the kind train, which is of version ${raisedTo} now`,
  );
  expect(plan).toContain('its inputs are made anew by train');
  expect(plan).toMatch(/data +dataset +reuse/);

  const list = JSON.parse(await said(thisRelease, ['list', '--json'], at)) as { studyId: string }[];
  const old = list[0]!.studyId;
  const run = await said(raised, ['run', file], at);
  expect(run).toContain(
    `made anew since ${old}: train (\`train\` is of version ${raisedTo} now, ${raisedTo - 1} before), and what builds on that: record`,
  );

  const retry = startCommand(raised, ['retry', old], at, environment);
  expect([await retry.ended, retry.output()]).toEqual([
    2,
    expect.stringContaining('was made by another version of Epochal'),
  ]);
});
