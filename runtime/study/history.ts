import { setTimeout } from 'node:timers/promises';
import { type Client, isGrpcServiceError, ServiceError } from '@temporalio/client';
import type { Payload, SerializationContext } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { RefusedError } from '../../artifacts/errors.ts';
import type { Activities, Answer, CellEnding } from '../../workflows/messages.ts';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

export interface HistoryOptions {
  readonly client: Client;
  readonly workflowId: string;
  /** Default: the latest run. */
  readonly runId?: string | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** Events come in bursts; between two reads this is waited for, so that a burst is one read. */
const burstMs = 200;
const afterOutageMs = 1000;

/**
 * The events of a workflow, from its first to the one that closes it, each as soon as the server has it (a long poll); runs that went on by
 * continue-as-new follow one another. Outages of the server are waited out, and nothing is given twice.
 */
export async function* followHistory(options: HistoryOptions): AsyncGenerator<HistoryEvent> {
  const { client, workflowId, signal } = options;
  let { runId } = options;
  let token: Uint8Array | undefined;
  let seen = 0;
  while (!signal.aborted) {
    let events: readonly HistoryEvent[];
    try {
      const page = await abortable(client, signal, () =>
        client.workflowService.getWorkflowExecutionHistory({
          namespace: client.options.namespace,
          execution: { workflowId, ...(runId === undefined ? {} : { runId }) },
          waitNewEvent: true,
          ...(token === undefined ? {} : { nextPageToken: token }),
        }),
      );
      events = page.history?.events ?? [];
      token = page.nextPageToken?.length > 0 ? page.nextPageToken : undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ServiceError) && !isGrpcServiceError(error)) throw error;
      token = undefined;
      await setTimeout(afterOutageMs, undefined, { signal }).catch(() => undefined);
      continue;
    }
    for (const event of events) {
      if (Number(event.eventId) <= seen) continue;
      seen = Number(event.eventId);
      runId ??= event.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? undefined;
      yield event;
      const ending = closeOf(event);
      if (ending === undefined) continue;
      if (ending.next === undefined) return;
      runId = ending.next;
      seen = 0;
      token = undefined;
    }
    await setTimeout(burstMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Runs requests that end when `signal` aborts. The client would hold on to each of them as long as there is the signal; here it is released
 * with the request.
 */
export async function abortable<T>(
  client: Client,
  signal: AbortSignal,
  request: () => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const abort = (): void => own.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await client.withAbortSignal(own.signal, request);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Whether an event closes its run, and which run goes on. */
function closeOf(event: HistoryEvent): { readonly next?: string } | undefined {
  const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  if (next) return { next };
  const closed =
    event.workflowExecutionCompletedEventAttributes ??
    event.workflowExecutionFailedEventAttributes ??
    event.workflowExecutionCanceledEventAttributes ??
    event.workflowExecutionTerminatedEventAttributes ??
    event.workflowExecutionTimedOutEventAttributes;
  return closed ? {} : undefined;
}

/** Whose message a payload is: a workflow's, or that of one of its activities. */
export function placeOf(
  client: Client,
  workflowId: string,
  activity?: { readonly activityId: string; readonly isLocal?: boolean },
): SerializationContext {
  const { namespace } = client.options;
  return activity === undefined
    ? { type: 'workflow', namespace, workflowId }
    : { type: 'activity', namespace, workflowId, isLocal: false, ...activity };
}

/** The cell whose record was written, if the event says that one was: a cell that ran inside the workflow has ended. */
export async function cellEndOf(
  client: Client,
  workflowId: string,
  event: HistoryEvent,
): Promise<CellEnding | undefined> {
  const { details } = event.markerRecordedEventAttributes ?? {};
  const data = details?.data?.payloads?.[0]?.data;
  if (!data || !details.result) return undefined;
  // The SDK's own words about an activity that ran in the worker, which bear no seal; the result does.
  const { activity_id: activityId, activity_type: type } = JSON.parse(Buffer.from(data).toString()) as {
    activity_id: string;
    activity_type: string;
  };
  if (type !== ('writeCellResult' satisfies keyof Activities)) return undefined;
  const where = placeOf(client, workflowId, { activityId, isLocal: true });
  return (await decodeFirst<Answer<CellEnding>>(client, where, details.result))?.value;
}

/** The first of some payloads, as the client's converter and codecs read it; undefined if there is none, or it is refused. */
export async function decodeFirst<T>(
  client: Client,
  place: SerializationContext,
  payloads: { readonly payloads?: Payload[] | null } | null | undefined,
): Promise<T | undefined> {
  try {
    const values = await decodeArrayFromPayloads(
      client.options.loadedDataConverter,
      payloads?.payloads,
      place,
    );
    return values[0] as T | undefined;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
