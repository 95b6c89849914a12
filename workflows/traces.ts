import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import {
  ContinueAsNew,
  proxySinks,
  type WorkflowExecuteInput,
  type WorkflowInterceptors,
  workflowInfo,
} from '@temporalio/workflow';
import type { SpanSink, ToldSpan } from './messages.ts';

/** Where the SDK's interceptors for OpenTelemetry keep a trace, in the client and in activities. */
const header = '_tracer-data';

/**
 * Hands the trace of a workflow on to its activities, its cells and its next run, and tells its own span to the worker when it ends. Without a trace
 * in its headers nothing is done. Only headers and sinks: no promise is resolved later than without, so that a history recorded with traces
 * replays without, and the other way round. (The SDK's own interceptors for workflows put turns between an activity's result and who waits for it.)
 */
export const interceptors = (): WorkflowInterceptors => {
  let arrived: Headers = {};
  let handedOn: Headers = {};
  const traced = <Input extends { readonly headers: Headers }>(input: Input, more: Headers): Input => ({
    ...input,
    headers: { ...input.headers, ...more },
  });
  return {
    inbound: [
      {
        execute(input, next) {
          const trace = traceOf(input.headers);
          if (trace === undefined) return next(input);
          const { traceId, flags } = trace;
          const spanId = spanIdOf(workflowInfo().runId);
          arrived = { [header]: input.headers[header]! };
          handedOn = {
            [header]: defaultPayloadConverter.toPayload({ traceparent: `00-${traceId}-${spanId}-${flags}` }),
          };
          const ended = next(input);
          // Bit 0 says whether the trace is sampled.
          if (Number.parseInt(flags, 16) % 2 === 1) {
            const tell = (error?: unknown): void => tellSpan(input, { ...trace, spanId }, error);
            ended.then(() => tell(), tell);
          }
          return ended;
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(traced(input, handedOn)),
        scheduleLocalActivity: (input, next) => next(traced(input, handedOn)),
        startChildWorkflowExecution: (input, next) => next(traced(input, handedOn)),
        continueAsNew: (input, next) => next(traced(input, arrived)),
      },
    ],
  };
};

interface Trace {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly flags: string;
}

/** Headers bear no seal: what is no trace is none, and cannot be more than one. */
function traceOf(headers: Headers): Trace | undefined {
  try {
    const carrier = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(headers[header]!);
    const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(String(carrier.traceparent));
    return parts === null ? undefined : { traceId: parts[1]!, parentSpanId: parts[2]!, flags: parts[3]! };
  } catch {
    return undefined;
  }
}

/** The same in each replay of a run, and no other's: the random end of its id. */
function spanIdOf(runId: string): string {
  return runId.replaceAll('-', '').slice(-16);
}

function tellSpan(
  { args: [argument] }: WorkflowExecuteInput,
  { traceId, spanId, parentSpanId }: Trace & { readonly spanId: string },
  error?: unknown,
): void {
  const { workflowType, workflowId, runId, runStartTime } = workflowInfo();
  const { studyId, cell } = argument as { studyId?: string; cell?: { id?: string } };
  const span: ToldSpan = {
    ...{ name: `RunWorkflow:${workflowType}`, traceId, spanId, parentSpanId },
    startMs: runStartTime.getTime(),
    endMs: Date.now(),
    attributes: {
      ...{ temporalWorkflowId: workflowId, run_id: runId },
      ...(studyId === undefined ? {} : { 'epochal.study': studyId }),
      ...(cell?.id === undefined ? {} : { 'epochal.cell': cell.id }),
    },
    ...(error === undefined || error instanceof ContinueAsNew
      ? {}
      : { error: error instanceof Error ? error.message : String(error) }),
  };
  proxySinks<SpanSink>().traces.span(span);
}
