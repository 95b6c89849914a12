import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findHome } from '../../../runtime/home.ts';
import { readKey } from '../../../runtime/seal/home-key.ts';
import { sealingCodec } from '../../../runtime/seal/sealing-codec.ts';
import { openTraces, type Traces } from '../../../runtime/watching/traces.ts';
import { bundleWorkflows } from '../../../runtime/workers/workflow-bundle.ts';
import { until } from '../../fixtures/local-study.ts';
import { type CollectedSpan, type Collector, openCollector } from '../../fixtures/otlp-collector.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../../fixtures/plans.ts';
import {
  openWatchedWorkers,
  type WatchedWorker,
  type WatchedWorkers,
} from '../../fixtures/watched-workers.ts';

const token = 'a-secret-of-the-collector';
let collector: Collector;
let workers: WatchedWorkers;
let traces: Traces;
let worker: WatchedWorker;
let environment: Record<string, string>;

beforeAll(async () => {
  collector = await openCollector();
  environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${token}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  workers = await openWatchedWorkers();
  Object.assign(process.env, environment);
  traces = (await openTraces('client', (text) => expect.fail(text)))!;
  for (const name of Object.keys(environment)) delete process.env[name];
  worker = await workers.worker(['--log-format', 'json'], environment);
});
afterAll(async () => {
  await traces?.close();
  await workers?.close();
  await collector?.close();
});

const cell = (seed: number) =>
  plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', { steps: 2, seed }),
    plannedStage('second', 'counter', { steps: 2, seed, from: resultOf('first') }, { needs: ['first'] }),
  ]);

/** What each span is a part of. How long a small cell takes on this machine decides which of its places it has. */
const placeOf: readonly (readonly [RegExp, RegExp])[] = [
  [/^StartWorkflow:study$/, /^$/],
  [/^RunWorkflow:study$/, /^StartWorkflow:study$/],
  [/^RunWorkflow:cell$/, /^RunWorkflow:study$/],
  [/^RunActivity:/, /^RunWorkflow:(study|cell)$/],
  [/^stage (first|second)$/, /^RunActivity:(runStage|runCells)$/],
  [/^stage sweep$/, /^RunActivity:collect$/],
  [/^compute counter$/, /^stage (first|second)$/],
  [/^(load|write) evaluation$/, /^compute counter$/],
];

test('a study is one trace, from its client to its compute processes, with every part where it belongs', async () => {
  // One at a time: the first cell has a workflow of its own, the others run in a row, since it was small.
  const plan = planOf('traced', [cell(1), cell(2), cell(3)], {
    maxParallel: 1,
    collect: [plannedCollect('sweep', 'second', ['seed'])],
  });
  const study = await workers.start(plan, workers.clientWith(traces.client));
  await expect(study.result()).resolves.toMatchObject({ status: 'succeeded' });
  await traces.flush();
  await until(async () => collector.spans.some(({ name }) => name === 'RunWorkflow:study'));
  const belongs = ({ name, parentSpanId }: CollectedSpan): boolean => {
    const parent = collector.spans.find(({ spanId }) => spanId === parentSpanId)?.name ?? '';
    return placeOf.some(([part, whole]) => part.test(name) && whole.test(parent));
  };
  expect(collector.spans.filter((span) => !belongs(span))).toEqual([]);
  const done = collector.spans.filter(({ attributes }) => attributes['epochal.outcome'] === 'done');
  const cellOf = ({ name, attributes }: CollectedSpan) => `${name} of ${attributes['epochal.cell']}`;
  const stages = [1, 2, 3].flatMap((seed) =>
    ['first', 'second'].map((name) => `stage ${name} of seed=${seed}`),
  );
  expect(done.map(cellOf).sort()).toEqual([...stages, 'stage sweep of undefined'].sort());
  const partsOf = ({ spanId }: CollectedSpan) =>
    collector.spans.filter(({ parentSpanId }) => parentSpanId === spanId);
  for (const span of done.filter(({ name }) => name !== 'stage sweep')) {
    const [computing, ...more] = partsOf(span);
    expect([computing?.name, more]).toEqual(['compute counter', []]);
    const load = span.name === 'stage first' ? [] : ['load evaluation'];
    expect(partsOf(computing!).map(({ name }) => name)).toEqual([...load, 'write evaluation']);
  }
  const apart = collector.spans.filter(({ name }) => name === 'RunWorkflow:cell').map(cellOf);
  expect(apart).toContain('RunWorkflow:cell of seed=1');
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(collector.spans.length);
  for (const span of collector.spans) expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);

  const stage = collector.spans.find(
    ({ name, attributes }) => name === 'stage second' && attributes['epochal.cell'] === 'seed=1',
  )!;
  expect(stage.attributes).toEqual({
    ...{ 'epochal.study': study.studyId, 'epochal.cell': 'seed=1', 'epochal.stage': 'second' },
    ...{ 'epochal.kind': 'counter', 'epochal.attempt': 1, 'epochal.outcome': 'done' },
  });
  const computing = collector.spans.find(({ parentSpanId }) => parentSpanId === stage.spanId)!;
  expect(computing.attributes['process.pid']).not.toBe(worker.child.pid);
  const load = collector.spans.find(
    ({ name, parentSpanId }) => name === 'load evaluation' && parentSpanId === computing.spanId,
  )!;
  expect(load.attributes['epochal.bytes']).toBeGreaterThan(0);
  for (const inner of [computing, load]) {
    expect(inner.startMs).toBeGreaterThanOrEqual(stage.startMs - 1);
    expect(inner.endMs).toBeLessThanOrEqual(stage.endMs + 1);
  }
  const partOf = (name: string) =>
    collector.spans.find((span) => span.name === name)!.resource['epochal.part'];
  expect([partOf('StartWorkflow:study'), partOf('RunWorkflow:study')]).toEqual(['client', 'worker']);
  expect(worker.lines().some(({ message }) => String(message).includes('sink'))).toBe(false);
});

test('what fails is marked, with its cause', async () => {
  const work = plannedStage('work', 'faulty', { how: 'input', times: 1, log: 'input.log' });
  const study = await workers.start(
    planOf('fails', [plannedCell('a', {}, [work])]),
    workers.clientWith(traces.client),
  );
  await study.result();
  const failed = await until(async () =>
    collector.spans.find(
      ({ name, attributes }) => name === 'stage work' && attributes['epochal.study'] === study.studyId,
    ),
  );
  expect(failed).toMatchObject({
    error: 'The data are not there.',
    attributes: { 'epochal.cause': 'InputError' },
  });
  const computing = await until(async () =>
    collector.spans.find(({ parentSpanId }) => parentSpanId === failed.spanId),
  );
  expect(computing).toMatchObject({ name: 'compute faulty', error: 'The data are not there.' });
});

test('a worker without traces goes on with a study that has one, and one with traces with a study that has none', async () => {
  const bundle = await bundleWorkflows(findHome(workers.home));
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const options = {
    workflowBundle: bundle,
    dataConverter: { payloadCodecs: [sealingCodec(readKey(findHome(workers.home)), 'mark')] },
    sinks: { traces: { span: { fn: () => undefined } } },
  };
  const [with_, without] = await Promise.all(
    [workers.clientWith(traces.client), workers.client].map(async (client, index) => {
      const study = await workers.start(planOf(`toggled-${index}`, [cell(31 + index)]), client);
      await study.result();
      return study.workflowId;
    }),
  );
  const historyOf = (workflowId: string) => workers.client.workflow.getHandle(workflowId).fetchHistory();
  for (const workflowId of [with_!, without!, `${with_!}/seed=31`])
    await Worker.runReplayHistory(options, await historyOf(workflowId), workflowId);
  const headerOf = async (workflowId: string) =>
    (await historyOf(workflowId)).events![0]!.workflowExecutionStartedEventAttributes!.header?.fields ?? {};
  expect(Object.keys(await headerOf(with_!))).toEqual(['_tracer-data']);
  expect(await headerOf(without!)).toEqual({});
  // The same events in the same order, whether there is a trace or not; how many tasks they take is a matter of time.
  const { EventType } = proto.temporal.api.enums.v1;
  const eventsOf = async (workflowId: string) =>
    (await historyOf(workflowId))
      .events!.map(({ eventType }) => EventType[eventType!]!)
      .filter((name) => !name.includes('WORKFLOW_TASK'));
  expect(await eventsOf(`${with_!}/seed=31`)).toEqual(await eventsOf(`${without!}/seed=32`));
});

test('the key of the collector goes to the collector alone', async () => {
  expect(collector.headers.every(({ authorization }) => authorization === token)).toBe(true);
  expect(worker.output()).not.toContain(token);
  expect(await (await fetch(`${worker.url}/metrics`)).text()).not.toContain(token);
  expect(JSON.stringify(collector.spans)).not.toContain(token);
  const files = readdirSync(workers.home, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(workers.home, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() && !file.includes('.db'));
  expect(files.filter((file) => readFileSync(file).includes(token))).toEqual([]);
});

test('a collector that is away costs spans, which is said once, and nothing else', async () => {
  worker.child.kill('SIGTERM');
  await worker.finished;
  const alone = await workers.worker(['--log-format', 'json'], {
    ...environment,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  });
  await expect((await workers.start(planOf('alone', [cell(41)]))).result()).resolves.toMatchObject({
    status: 'succeeded',
  });
  const warned = () =>
    alone.lines().filter(({ message }) => String(message).startsWith('Spans do not arrive'));
  await until(async () => warned().length > 0);
  expect(warned()).toHaveLength(1);
});
