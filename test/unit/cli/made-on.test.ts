import { expect, test } from 'vitest';
import type { Provenance } from '../../../artifacts/store/step.ts';
import { formatOrigin } from '../../../cli/checks/artifact-views.ts';
import { provenanceTable } from '../../../report/page/cell-tables.ts';

const provenance: Provenance = {
  ...{ startedAt: '2026-01-01T00:00:00.000Z', seconds: 1, host: 'node7', cpu: 'EPYC', attempts: 1 },
  ...{ backend: 'tensorflow', library: '2.21.0', node: 'v24', epochal: '0.1.0', device: 'cpu' },
};
const onGpu: Provenance = { ...provenance, device: 'gpu', gpu: 'NVIDIA H200, driver 570.86.15' };

test('explain tells of a GPU and its driver', () => {
  const origin = {
    ...{ output: 'state', sha256: 'a'.repeat(64), whole: true, uses: 'train', seconds: 1 },
    kind: 'state',
    ...{ key: 'b'.repeat(64), with: {}, inputs: [], sources: {} },
  } as const;
  const machine = (by: Provenance) => formatOrigin({ ...origin, provenance: by }).split(' on ')[1];
  expect(machine(provenance)).toBe('node7, EPYC, tensorflow 2.21.0, Node v24');
  expect(machine(onGpu)).toBe('node7, EPYC, NVIDIA H200, driver 570.86.15, tensorflow 2.21.0, Node v24');
});

test('the report has a row for each device', () => {
  const steps = new Map([provenance, onGpu, onGpu].map((by, n) => [String(n), { provenance: by }]));
  const text = String(provenanceTable({ steps } as unknown as Parameters<typeof provenanceTable>[0]));
  expect(text.match(/<tr>/g)).toHaveLength(3);
  expect(text).toContain('NVIDIA H200, driver 570.86.15<br>EPYC');
});
