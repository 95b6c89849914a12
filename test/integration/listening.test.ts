/** Whatever of a home listens is reached from this machine alone: the server, its web UI and services, workers and compute processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../fixtures/plans.ts';
import { descendants } from '../fixtures/processes.ts';

let studies: LocalStudies;
beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 1 });
});
afterAll(() => studies?.close());

const listening = '0A';

/** Inodes of the sockets that a process has. */
function socketsOf(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap(
      (name) => /^socket:\[(\d+)\]$/.exec(readlinkSync(path.join(folder, name)))?.[1] ?? [],
    );
  } catch {
    return []; // It has ended meanwhile.
  }
}

/** Addresses, in hexadecimal, and ports at which these processes listen. */
function listenersOf(pids: readonly number[]): { readonly address: string; readonly port: number }[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  const rows = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1),
  );
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === listening && sockets.has(inode!))
    .map(([, local]) => local!.split(':'))
    .map(([address, port]) => ({ address: address!, port: Number.parseInt(port!, 16) }));
}

test.runIf(process.platform === 'linux')(
  'every port of a home that serves a study is one of the loopback',
  async () => {
    studies.gate.hold('1-1');
    const counter = plannedStage('count', 'counter', { steps: 3, seed: 1 });
    const study = await studies.start(planOf('listening', [plannedCell('main', {}, [counter])]));
    await until(async () => ((await study.cells())[0]?.live[0]?.done ?? 0) > 0);
    const { pid } = JSON.parse(readFileSync(path.join(studies.home, 'server.json'), 'utf8')) as {
      pid: number;
    };
    const workers = descendants(process.pid, /worker-process|compute-process/);
    expect(workers.length).toBeGreaterThan(1);
    expect(listenersOf(workers)).toEqual([]);
    const served = listenersOf([pid, ...descendants(pid, /./)]);
    // The server, its web UI, and what they have among themselves.
    expect(served.length).toBeGreaterThan(2);
    // 127.0.0.1, as /proc writes it, alone or within IPv6; ::1.
    const loopback = /^(0100007F|0000000000000000FFFF00000100007F|00000000000000000000000001000000)$/;
    expect(served.filter(({ address }) => !loopback.test(address))).toEqual([]);
    await study.cancel();
    await study.result();
  },
);
