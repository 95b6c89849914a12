import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHome } from '../../../runtime/home.ts';
import { sealingCodec } from '../../../runtime/seal/sealing-codec.ts';
import { bundleWorkflows } from '../../../runtime/workers/workflow-bundle.ts';
import * as workflows from '../../../workflows/index.ts';
import { historiesFolder, historyKey } from '../../fixtures/histories.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
let workflowBundle: { readonly code: string };

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  workflowBundle = await bundleWorkflows(openHome({ home: folder }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const names = readdirSync(historiesFolder);

/** The code of an open study must be able to go on with it. If it no longer is, see `test/record-histories.ts`. */
test.each(names)('the history %s is replayed by the code of today', async (name) => {
  const history = JSON.parse(readFileSync(path.join(historiesFolder, name), 'utf8'));
  const dataConverter = { payloadCodecs: [sealingCodec(Buffer.from(historyKey, 'hex'), 'mark')] };
  const workflowId = idOf(history);
  await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, workflowId);
});

test('there are histories of every workflow, of cells apart, in rows and inside, of failures, retries, a pause, a cut and a stage over all cells', () => {
  const served = Object.keys(workflows).filter((name) => name !== 'default');
  const texts = names.map((name) => readFileSync(path.join(historiesFolder, name), 'utf8'));
  for (const event of [
    'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
    'ACTIVITY_TASK_COMPLETED',
    'ACTIVITY_TASK_FAILED',
    '"runCells"',
    '"collect"',
    ...served.map((name) => `"workflowType":{"name":"${name}"}`),
    'TIMER_FIRED',
    'MARKER_RECORDED',
    'WORKFLOW_EXECUTION_SIGNALED',
    'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
  ])
    expect(texts.some((text) => text.includes(event))).toBe(true);
});

/** Its own id, to which the seals are bound. */
function idOf(history: { events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[] }) {
  return history.events[0]!.workflowExecutionStartedEventAttributes!.workflowId!;
}
