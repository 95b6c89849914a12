import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Tracer } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ToldSpan } from '../../workflows/messages.ts';
import { loadOpenTelemetry, type OpenTelemetry } from './load-opentelemetry.ts';

/** A program ends without the spans that are not exported by then. */
const closeMs = 3_000;

/** What a program does to be seen in traces. */
export interface Traces {
  /** Begins the trace of a study when it is started. */
  readonly client: WorkflowClientInterceptor;
  /** Goes on with it in activities. */
  readonly activity: ActivityInterceptorsFactory;
  readonly api: OpenTelemetry['api'];
  readonly tracer: Tracer;
  /** Exports a span that was told. */
  tell(span: ToldSpan): void;
  /** Exports what has ended. */
  flush(): Promise<void>;
  /** Exports what is left. */
  close(): Promise<void>;
}

/** Whether the environment asks for traces, by the variables that OpenTelemetry has for it. */
export function wantsTraces(environment = process.env): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = environment;
  const isOff = environment.OTEL_SDK_DISABLED === 'true' || environment.OTEL_TRACES_EXPORTER === 'none';
  return !isOff && Boolean(OTEL_EXPORTER_OTLP_ENDPOINT || OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

/**
 * Opens traces if the environment asks for them: OpenTelemetry is loaded only then. Undefined, after a word to `warn`, if its packages are not
 * installed, which they need not be. `warn` is also told, once, that spans do not arrive.
 *
 * @param part Of Epochal, that this program is.
 */
export async function openTraces(
  part: 'client' | 'worker',
  warn: (text: string) => void,
): Promise<Traces | undefined> {
  if (!wantsTraces()) return undefined;
  const loaded = await loadOpenTelemetry(warn);
  if (loaded === undefined) return undefined;
  const { api, sdk, core, resources, contexts, exporter, clients, workers } = loaded;
  const resource = resources
    .resourceFromAttributes({
      'service.name': 'epochal',
      'host.name': hostname(),
      'process.pid': process.pid,
      'epochal.part': part,
    })
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const processor = new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter());
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  api.context.setGlobalContextManager(new contexts.AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  core.setGlobalErrorHandler(onceTold(warn));
  const tracer = provider.getTracer('epochal');
  const starts = new clients.OpenTelemetryWorkflowClientInterceptor({ tracer });

  const tell = (told: ToldSpan): void => {
    const { traceId, spanId, parentSpanId, error } = told;
    const [startTime, endTime] = [core.millisToHrTime(told.startMs), core.millisToHrTime(told.endMs)];
    const context = { traceId, spanId, traceFlags: api.TraceFlags.SAMPLED };
    const span: ReadableSpan = {
      ...{ name: told.name, kind: api.SpanKind.INTERNAL, startTime, endTime, ended: true },
      spanContext: () => context,
      parentSpanContext: { ...context, spanId: parentSpanId, isRemote: true },
      status:
        error === undefined
          ? { code: api.SpanStatusCode.OK }
          : { code: api.SpanStatusCode.ERROR, message: error },
      duration: core.hrTimeDuration(startTime, endTime),
      attributes: { ...told.attributes },
      ...{ links: [], events: [], droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
      ...{ resource, instrumentationScope: { name: 'epochal' } },
    };
    processor.onEnd(span);
  };

  return {
    ...{ api, tracer, tell },
    // Of all that a client does, only this is a part of the study: a command that watches asks every second.
    client: {
      start: (input, next) => starts.start(input, next),
      startWithDetails: (input, next) => starts.startWithDetails(input, next),
    },
    activity: (context) => {
      const { execute } = workers.OpenTelemetryActivityInboundInterceptor.prototype;
      const inbound = new workers.OpenTelemetryActivityInboundInterceptor(context, { tracer });
      return {
        inbound: {
          // The bookkeeping of studies without a trace would be traces of one span each.
          execute: (input, next) =>
            context.info.isLocal && !('_tracer-data' in input.headers)
              ? next(input)
              : execute.call(inbound, input, next),
        },
      };
    },
    flush: () => provider.forceFlush(),
    async close() {
      await Promise.race([provider.shutdown().catch(() => undefined), setTimeout(closeMs, undefined)]);
    },
  };
}

/** Tells of the first error that the exporter has met: a collector that is away loses spans, and nothing else. */
function onceTold(warn: (text: string) => void): (error: unknown) => void {
  let isTold = false;
  return (error) => {
    if (isTold) return;
    isTold = true;
    const { code, name } = error as { code?: unknown; name?: unknown };
    warn(`Spans do not arrive at the collector of the traces (${code ?? name}); it is not told again.`);
  };
}
