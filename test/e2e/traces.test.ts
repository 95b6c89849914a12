/** What `run` leaves at a collector of traces, and in the log of its worker, when the environment asks for both. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type CollectedSpan, openCollector } from '../fixtures/otlp-collector.ts';
import { epochal, freshHome, root } from './epochal.ts';

const [{ home, remove }, { home: other, remove: removeOther }] = [1, 2].map(() =>
  freshHome({ bundled: true }),
) as [ReturnType<typeof freshHome>, ReturnType<typeof freshHome>];
afterAll(() => {
  remove();
  removeOther();
});

const file = path.join(root, 'test', 'e2e', 'fixtures', 'small.yaml');

test('`run` is one trace down to what TensorFlow computes from, and its artifacts are those of a run without', async () => {
  const collector = await openCollector();
  const traced = await epochal(['run', file], home, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    EPOCHAL_LOG: 'json',
  });
  expect(traced).toMatchObject({ code: 0, stderr: '' });
  await collector.close();
  const { spans } = collector;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const parentOf = (span: CollectedSpan) => spans.find(({ spanId }) => spanId === span.parentSpanId);
  const roots = spans.filter((span) => parentOf(span) === undefined);
  expect(roots.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['StartWorkflow:study', '']]);
  const stages = ['data', 'train', 'record', 'hessian', 'project', 'analyze', 'fit'];
  const named = (name: string) => spans.filter((span) => span.name === name);
  for (const stage of stages) {
    const [span] = named(`stage ${stage}`);
    const [computing] = named(`compute ${stage === 'data' ? 'dataset' : stage}`);
    expect(parentOf(computing!)).toBe(span);
  }
  const [write] = named('write eigenpairs');
  expect(parentOf(write!)).toBe(named('compute hessian')[0]);
  expect(parentOf(named('load trajectory-part')[0]!)).toBe(named('compute project')[0]);

  const log = readFileSync(path.join(home, 'logs', 'worker.log'), 'utf8')
    .trim()
    .split('\n');
  const lines = log.map((line) => JSON.parse(line) as { message: string; stage?: string });
  const done = lines.filter(({ message }) => message === 'stage done').map(({ stage }) => stage);
  expect(done.sort()).toEqual([...stages].sort());

  expect((await epochal(['run', file], other)).code).toBe(0);
  const artifacts = (place: string) =>
    readdirSync(path.join(place, 'store', 'artifacts'), { recursive: true, encoding: 'utf8' }).sort();
  expect(artifacts(home)).toEqual(artifacts(other));
  const quiet = readFileSync(path.join(other, 'logs', 'worker.log'), 'utf8');
  expect(quiet).not.toMatch(/stage (begun|done)/);
});
