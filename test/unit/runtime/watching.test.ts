import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Accountant } from '../../../activities/processes/stage-account.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { isLoopback } from '../../../runtime/server/ports.ts';
import { WorkerLog } from '../../../runtime/watching/log.ts';
import { logSettings } from '../../../runtime/watching/log-settings.ts';
import { statusPlace } from '../../../runtime/watching/status-server.ts';
import { wantsTraces } from '../../../runtime/watching/traces.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();

const root = path.join(import.meta.dirname, '..', '..', '..');

test('options say how the log is, and EPOCHAL_LOG what they leave open', () => {
  expect(logSettings({}, '')).toEqual({ format: 'text' });
  expect(logSettings({}, 'json')).toEqual({ format: 'json' });
  expect(logSettings({}, 'debug')).toEqual({ format: 'text', level: 'debug' });
  expect(logSettings({}, 'json:debug')).toEqual({ format: 'json', level: 'debug' });
  expect(logSettings({ format: 'text', level: 'error' }, 'json:debug')).toEqual({
    format: 'text',
    level: 'error',
  });
  for (const wrong of ['JSON', 'json:text', 'debug:info', 'json:loud'])
    expect(() => logSettings({}, wrong)).toThrow(`EPOCHAL_LOG is "${wrong}".`);
});

test('a place has a host, if one is given, and a port', () => {
  expect(statusPlace('9464')).toEqual({ host: '127.0.0.1', port: 9464 });
  expect(statusPlace('node7:80')).toEqual({ host: 'node7', port: 80 });
  expect(statusPlace('[::1]:80')).toEqual({ host: '::1', port: 80 });
  for (const wrong of ['', 'node7', ':80', '0', '65536', 'a b:80', '1:2:x'])
    expect(() => statusPlace(wrong)).toThrow(`${wrong} is nowhere to tell of metrics at.`);
  const local = ['9464', '127.8.0.1:1', 'localhost:1', '[::1]:1', '0.0.0.0:1', '[::]:1', '127.example.org:1'];
  expect(local.map((text) => isLoopback(statusPlace(text).host))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('traces are asked for by the variables of OpenTelemetry, and turned off by them', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  expect(wantsTraces({})).toBe(false);
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false);
  expect(wantsTraces(endpoint)).toBe(true);
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' })).toBe(true);
  expect(wantsTraces({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBe(false);
  expect(wantsTraces({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
});

test('lines of the SDK keep the place, and nothing of the settings that come with them', () => {
  const lines: string[] = [];
  const log = new WorkerLog({ format: 'json', level: 'debug' }, (line) => lines.push(line));
  log.logger.debug('Creating worker', {
    options: { apiKey: 'secret' },
    connection: 'secret',
    taskQueue: 'epochal',
  });
  log.logger.warn('Activity failed', {
    workflowId: 'epochal-study-12/a=1',
    activityId: 'train of a=1',
    error: Object.assign(new Error('two\nlines'), { secret: 'secret' }),
  });
  log.logger.trace('left out');
  expect(lines.join('')).not.toContain('secret');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'debug', message: 'Creating worker', taskQueue: 'epochal' }),
    expect.objectContaining({
      ...{ level: 'warn', study: 'study-12', cell: 'a=1', stage: 'train' },
      error: { kind: 'Error', message: 'two\nlines' },
    }),
  ]);
  for (const line of lines) expect(line).toMatch(/^[^\n]+\n$/);
});

test('where the packages of OpenTelemetry are not installed there are no traces, which is said', async () => {
  const script = `
    const { openTraces } = await import('./runtime/watching/traces.ts');
    console.log(await openTraces('worker', (text) => console.log(text)));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', './test/fixtures/refuse-modules.mjs', '--input-type=module', '--eval', script],
    {
      cwd: root,
      env: {
        ...process.env,
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
        EPOCHAL_TEST_REFUSED: '^@opentelemetry/',
      },
    },
  );
  expect(stdout).toMatch(/^There are no traces, .* not installed\..*\nundefined\n$/);
});

test('the account of a stage has its bytes, and spans only where a trace asks for them: the first hundred, and how many more there were', async () => {
  const written: ArtifactRef[] = [];
  const use = async (accountant: Accountant, files: number) => {
    const watched = accountant.watch(store);
    for (let file = 0; file < files; file++) {
      const ref = await watched.write('evaluation', { file: String(file) }, (writer) =>
        writer.append({ loss: [0], accuracy: [1], examples: [file] }),
      );
      written.push(ref);
      await watched.open(ref);
    }
    return accountant.close();
  };
  const plain = await use(new Accountant('train', undefined), 1);
  expect(plain).toEqual({ read: written[0]!.bytes, written: written[0]!.bytes, spans: [] });
  const { spans } = await use(new Accountant('train', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`), 60);
  expect(spans).toHaveLength(101);
  const whole = spans.at(-1)!;
  expect(whole).toMatchObject({
    ...{ name: 'compute train', traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) },
    attributes: { 'epochal.spans_left_out': 20, 'process.pid': process.pid },
  });
  expect(new Set(spans.slice(0, -1).map(({ name, parentSpanId }) => `${name} in ${parentSpanId}`))).toEqual(
    new Set([`write evaluation in ${whole.spanId}`, `load evaluation in ${whole.spanId}`]),
  );
});
