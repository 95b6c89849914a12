import { randomBytes } from 'node:crypto';
import type { Store } from '../../artifacts/store/store.ts';
import type { ToldSpan } from '../../workflows/messages.ts';

/** Spans of one stage that are told: a trajectory has many files, and the first of them say what the others would. */
const mostSpans = 100;

/** What a stage has done in its compute process. */
export interface StageAccount {
  /** Bytes of the artifacts that it has opened, from the store or what is remembered of it. */
  readonly read: number;
  /** Bytes of the artifacts that it has written. */
  readonly written: number;
  readonly spans: readonly ToldSpan[];
}

/** Keeps the account of one stage: of its artifacts, and of its time if a trace asks for it. */
export class Accountant {
  readonly #trace: { readonly traceId: string; readonly parentSpanId: string } | undefined;
  readonly #spanId = newSpanId();
  readonly #uses: string;
  readonly #startMs = now();
  readonly #spans: ToldSpan[] = [];
  #read = 0;
  #written = 0;

  /** @param traceparent The span of the worker that this one is a part of, in the form of the W3C; without one there are no spans. */
  constructor(uses: string, traceparent: string | undefined) {
    this.#uses = uses;
    const [, traceId, parentSpanId] = traceparent?.split('-') ?? [];
    this.#trace = traceId === undefined || parentSpanId === undefined ? undefined : { traceId, parentSpanId };
  }

  /** The same store, whose artifacts are counted. */
  watch(store: Store): Store {
    return {
      ...store,
      open: (ref) =>
        this.#timed(`load ${ref.kind}`, async () => {
          const table = await store.open(ref);
          this.#read += ref.bytes;
          return { value: table, bytes: ref.bytes };
        }),
      write: (kind, metadata, fill) =>
        this.#timed(`write ${kind}`, async () => {
          const ref = await store.write(kind, metadata, fill);
          this.#written += ref.bytes;
          return { value: ref, bytes: ref.bytes };
        }),
    };
  }

  /** Closes it. `error` is what the stage threw, if it did. */
  close(error?: unknown): StageAccount {
    const trace = this.#trace;
    if (trace !== undefined) {
      const left = this.#spans.length - mostSpans;
      this.#spans.length = Math.min(this.#spans.length, mostSpans);
      this.#tell(
        { ...trace, spanId: this.#spanId, name: `compute ${this.#uses}`, startMs: this.#startMs },
        { 'process.pid': process.pid, ...(left > 0 ? { 'epochal.spans_left_out': left } : {}) },
        error,
      );
    }
    return { read: this.#read, written: this.#written, spans: this.#spans };
  }

  async #timed<T>(name: string, work: () => Promise<{ value: T; bytes: number }>): Promise<T> {
    if (this.#trace === undefined) return (await work()).value;
    const { traceId } = this.#trace;
    const span = { name, traceId, parentSpanId: this.#spanId, spanId: newSpanId(), startMs: now() };
    const pid = { 'process.pid': process.pid };
    try {
      const { value, bytes } = await work();
      this.#tell(span, { ...pid, 'epochal.bytes': bytes });
      return value;
    } catch (error) {
      this.#tell(span, pid, error);
      throw error;
    }
  }

  #tell(span: Omit<ToldSpan, 'endMs' | 'attributes'>, attributes: ToldSpan['attributes'], error?: unknown) {
    const words = error instanceof Error ? error.message : String(error);
    this.#spans.push({
      ...{ ...span, endMs: now(), attributes },
      ...(error === undefined ? {} : { error: words }),
    });
  }
}

function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

/** Milliseconds since 1970, with their fractions. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
