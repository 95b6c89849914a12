import { describe, expect, test } from 'vitest';
import type { ListedStudy, StudyStatus } from '../../../cli/progress/study-status.ts';
import { formatStatus, formatStudies } from '../../../cli/progress/study-view.ts';

const now = new Date('2026-03-04T12:00:00Z');
const launched = { createdAt: '2026-03-01T00:00:00Z', startedAt: '2026-03-04T08:57:00Z' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with one.
const plain = (text: string) => text.replace(/\x1b\[\d+m/g, '');
const widest = (text: string) =>
  Math.max(
    ...plain(text)
      .split('\n')
      .map((line) => line.length),
  );

describe('status of a sweep of 1,000 cells', () => {
  const failures = Array.from({ length: 37 }, (_, index) => ({
    cellId: `batchSize=50,learningRate=0.005,seed=${index + 1}`,
    stage: 'train',
    type: 'DivergedError',
    message: `Training diverged: the loss is NaN at step ${index} of epoch 1, and this goes on for longer than a line.`,
    cure: 'Lower the learning rate.',
  }));
  const live = Array.from({ length: 32 }, (_, index) => ({
    cellId: `seed=${index + 500}`,
    stages: [
      { name: 'data', status: 'done' as const },
      { name: 'train', status: 'running' as const },
    ],
    live: [{ stage: 'train', done: 1200, total: 5000, unit: 'steps', elapsedMs: 1, from: 0, attempt: 1 }],
    queued: 0,
  }));
  const counts = { succeeded: 412, failed: 37, cancelled: 0 };
  const running = Array.from({ length: 64 }, (_, index) => ({
    cellId: `seed=${index + 500}`,
    workflowId: `${index}`,
  }));
  const study: StudyStatus = {
    studyId: 'lenet-cifar10-variances-0123456789',
    name: 'lenet-cifar10-variances',
    ...launched,
    status: 'running',
    running: true,
    cells: 1000,
    ended: 449,
    counts,
    failures,
    live,
    progress: { studyId: '', cells: 1000, counts, running, paused: false, phase: 'cells' },
    damaged: [],
  };

  test.each([60, 200])('fits %i columns, failed cells first, and says how many of how many', (columns) => {
    const text = plain(formatStatus(study, { columns, now }));
    expect(widest(text)).toBeLessThanOrEqual(columns);
    expect(text).toContain('launched 2026-03-04 08:57 UTC, 3 h ago');
    expect(text).toContain('449 of 1,000 cells ended: 412 succeeded, 37 failed');
    expect(text).toMatch(
      /failed, 10 of 37;[\s\S]*seed=1 [\s\S]*seed=10 [\s\S]*running, 10 of 64;[\s\S]*seed=509/,
    );
    expect(text).not.toMatch(/seed=11 |seed=510/);
    expect(text).toContain('train 1,200/5,000 steps');
    // Of ten neighbours that fail alike, the cure is said once.
    expect(text.match(/Lower the learning rate/g)).toHaveLength(1);
  });

  test('names running cells that have not said in time how far they are', () => {
    const text = plain(formatStatus({ ...study, failures: [], live: [] }, { columns: 80, now }));
    expect(text).toContain('running, 64\n  seed=500; seed=501;');
    expect(text).toContain('seed=509 and 54 more; --json names all');
  });

  test('says which queue it is that no worker serves', () => {
    const waiting = [{ ...live[0]!, live: [], queued: 2, unserved: ['a100'] }];
    const text = plain(formatStatus({ ...study, live: waiting }, { columns: 80, now }));
    expect(text).toContain('    2 wait for a worker: none serves the queue a100');
  });

  test('shows ten damaged records, and says of how many', () => {
    const damaged = Array.from({ length: 1000 }, (_, index) => `The record of cell ${index} is torn.`);
    const text = plain(formatStatus({ ...study, failures: [], live: [], damaged }, { columns: 80, now }));
    expect(text.match(/is torn/g)).toHaveLength(10);
    expect(text).toContain('  10 of 1,000 damaged records; --json has all');
  });

  test('that all succeeded says no more than that', () => {
    const all = { succeeded: 1000, failed: 0, cancelled: 0 };
    const done: StudyStatus = {
      ...study,
      status: 'succeeded',
      running: false,
      ended: 1000,
      counts: all,
      failures: [],
      live: [],
    };
    expect(plain(formatStatus(done, { columns: 80, now })).split('\n')).toEqual([
      'lenet-cifar10-variances-0123456789  succeeded',
      '  launched 2026-03-04 08:57 UTC, 3 h ago',
      '  1,000 of 1,000 cells ended',
    ]);
  });
});

describe('list', () => {
  const study = (studyId: string, startedAt: string, failed: number): ListedStudy => ({
    studyId,
    name: studyId,
    createdAt: startedAt,
    startedAt,
    command: [],
    baseDirectory: '/',
    status: failed > 0 ? 'failed' : 'succeeded',
    cells: 1000,
    counts: { succeeded: 1000 - failed, failed, cancelled: 0 },
  });
  const studies = [
    study('short-0123456789', '2026-03-04T11:59:58.500Z', 0),
    study('a-rather-long-name-of-a-pipeline-0123456789', '2026-02-20T10:00:00Z', 12),
  ];

  test('is one aligned line a study on a wide terminal', () => {
    expect(plain(formatStudies(studies, { columns: 200, now })).split('\n')).toEqual([
      'study                                        status     ended                            launched',
      'short-0123456789                             succeeded  1,000 of 1,000 cells             2026-03-04 11:59 UTC, 1 s ago',
      'a-rather-long-name-of-a-pipeline-0123456789  failed     1,000 of 1,000 cells, 12 failed  2026-02-20 10:00 UTC, 12 d ago',
    ]);
  });

  test('loses nothing on a narrow one', () => {
    const text = plain(formatStudies(studies, { columns: 80, now }));
    expect(text.split('\n')).toEqual([
      'short-0123456789',
      '  succeeded  1,000 of 1,000 cells             2026-03-04 11:59 UTC, 1 s ago',
      'a-rather-long-name-of-a-pipeline-0123456789',
      '  failed     1,000 of 1,000 cells, 12 failed  2026-02-20 10:00 UTC, 12 d ago',
    ]);
    expect(widest(formatStudies(studies, { columns: 60, now }))).toBeLessThanOrEqual(60);
  });
});
