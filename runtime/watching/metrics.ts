import type { MetricMeter } from '@temporalio/common';

/** Bounds of the buckets, in seconds: stages take from milliseconds to days. */
const bounds = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 7200, 43_200, 172_800];

/** The bounds, by the name of the histogram, for the SDK's runtime. */
export const histogramBounds = { epochal_stage_seconds: bounds };

/** What is read off a worker at the moment when somebody looks. */
export interface Gauges {
  readonly slots: number;
  readonly slotsInUse: number;
  readonly processes: { readonly all: number; readonly idle: number };
  readonly isReady: boolean;
}

/** The metrics of a worker, beside those of the SDK: it serves both. No name of a study is in a label, since every other study would make new series. */
export function createMetrics(meter: MetricMeter) {
  const begun = meter.createCounter(
    'epochal_stages_begun_total',
    '',
    'Stages that were begun, each attempt.',
  );
  const ended = meter.createCounter(
    'epochal_stages_ended_total',
    '',
    'Stages that have ended, each attempt.',
  );
  const seconds = meter.createHistogram('epochal_stage_seconds', 'float', '', 'Seconds that a stage took.');
  const read = meter.createCounter(
    'epochal_store_read_bytes_total',
    '',
    'Bytes of artifacts that stages opened.',
  );
  const written = meter.createCounter(
    'epochal_store_written_bytes_total',
    '',
    'Bytes of artifacts that were written.',
  );
  const slots = meter.createGauge('epochal_slots', 'int', '', 'Threads that stages on the CPU may have.');
  const slotsInUse = meter.createGauge(
    'epochal_slots_in_use',
    'int',
    '',
    'Threads that stages on the CPU have.',
  );
  const processes = meter.createGauge('epochal_compute_processes', 'int', '', 'Compute processes that live.');
  const ready = meter.createGauge('epochal_ready', 'int', '', '1 while stages are taken, else 0.');
  return {
    begin(kind: string): void {
      begun.add(1, { kind });
    },
    end(kind: string, outcome: string, took: number): void {
      ended.add(1, { kind, outcome });
      seconds.record(took, { kind, outcome });
    },
    move(kind: string, bytes: { readonly read: number; readonly written: number }): void {
      read.add(bytes.read, { kind });
      written.add(bytes.written, { kind });
    },
    look(now: Gauges): void {
      slots.set(now.slots);
      slotsInUse.set(now.slotsInUse);
      processes.set(now.processes.idle, { state: 'warm' });
      processes.set(now.processes.all - now.processes.idle, { state: 'busy' });
      ready.set(now.isReady ? 1 : 0);
    },
  };
}

export type WorkerMetrics = ReturnType<typeof createMetrics>;
