import type { Attributes, Span } from '@opentelemetry/api';
import { troubleOf, type WatchStage } from '../../activities/index.ts';
import type { Traces } from './traces.ts';

/** Makes each stage a span of the activity that runs it, and what its compute process tells of, parts of that span. */
export function traceStages({ api, tracer, tell }: Pick<Traces, 'api' | 'tracer' | 'tell'>): WatchStage {
  return ({ studyId, cellId, stage, uses, attempt }, work) => {
    const attributes: Attributes = {
      'epochal.study': studyId,
      ...(cellId === undefined ? {} : { 'epochal.cell': cellId }),
      'epochal.stage': stage,
      'epochal.kind': uses,
      'epochal.attempt': attempt,
    };
    return tracer.startActiveSpan(`stage ${stage}`, { attributes }, async (span) => {
      try {
        const outcome = await work({
          ...placeOf(span),
          onAccount: ({ spans }) => {
            for (const told of spans) tell(told);
          },
        });
        span.setAttribute('epochal.outcome', outcome.reused ? 'reused' : 'done');
        span.setStatus({ code: api.SpanStatusCode.OK });
        return outcome;
      } catch (error) {
        const { outcome, cause, message } = troubleOf(error);
        span.setAttributes({ 'epochal.outcome': outcome, 'epochal.cause': cause });
        span.setStatus({ code: api.SpanStatusCode.ERROR, message });
        throw error;
      } finally {
        span.end();
      }
    });
  };
}

/** Where a span is, for those that are to be parts of it, in the form of the W3C; nothing if the trace is not sampled. */
function placeOf(span: Span): { readonly trace?: string } {
  const { traceId, spanId } = span.spanContext();
  return span.isRecording() ? { trace: `00-${traceId}-${spanId}-01` } : {};
}
