/** Has the events happen: each to something that is at work, as soon as there is such. */
import { setTimeout } from 'node:timers/promises';
import { RandomStream } from '../../science/random.ts';
import { descendants, processTicks } from '../fixtures/processes.ts';
import type { SmallDisk } from '../fixtures/small-disk.ts';
import type { ChaosEvent, Victim } from './events.ts';
import type { Servers } from './servers.ts';
import type { Service } from './services.ts';

/** More than a heartbeat may fail to come, so that the stages of the host are taken over. */
const outageMs = 60_000;
/** So that the worker meets it, and stages that are tried again meet it too. */
const fullMs = 30_000;
/** Workers stay stopped for less or for more than a heartbeat may fail to come. */
const shortStopsMs = [2000, 5000] as const;
const longStopsMs = [18_000, 25_000] as const;
const lookMs = 100;

export interface Scene {
  readonly servers: Servers;
  readonly workers: readonly Service[];
  /** Whose worker has a supervisor: a `run --worker`. */
  readonly supervised: Service;
  /** The worker whose folders are on a disk of their own. */
  readonly onSmallDisk: { readonly service: Service; readonly disk: SmallDisk };
  /** Aborts when the study has ended. */
  readonly ended: AbortSignal;
}

/** What has happened. */
export interface Happened {
  readonly what: string;
  /** When what it began is over: a process goes on, a disk has room again. */
  readonly over: Promise<void>;
}

export class Misfortune {
  readonly #scene: Scene;
  readonly #random: RandomStream;
  /** Those that are stopped. */
  readonly #stopped = new Set<number>();
  #cutOff: Service | undefined;

  constructor(scene: Scene, seed: number) {
    this.#scene = scene;
    this.#random = new RandomStream(seed, 'chaos/victims');
  }

  async happen(event: ChaosEvent): Promise<Happened> {
    const { servers, onSmallDisk } = this.#scene;
    switch (event.deed) {
      case 'restart':
        await this.#meet(() => this.#busy());
        await servers.database.restart();
        return { what: 'the database', over: Promise.resolve() };
      case 'fill':
        await this.#meet(() => this.#busy([onSmallDisk.service]));
        return { what: `the disk of ${onSmallDisk.service.name}`, over: fill(onSmallDisk.disk) };
      case 'cut off': {
        const service = await this.#meet(() => this.#serviceAtWork(this.#scene.workers));
        this.#cutOff = service;
        service.host.connect(false);
        const over = setTimeout(outageMs).then(() => {
          service.host.connect(true);
          this.#cutOff = undefined;
        });
        return { what: service.name, over };
      }
      default:
        return this.#strike(event.deed, event.victim);
    }
  }

  async #strike(deed: 'kill' | 'stop', victim: Victim): Promise<Happened> {
    const { temporal, s3 } = this.#scene.servers;
    const [what, pid] = await this.#meet(() => this.#find(victim));
    if (deed === 'stop') {
      const isLong = victim !== 'compute process' && this.#random.below(2) === 0;
      const [least, most] = isLong ? longStopsMs : shortStopsMs;
      const pause = this.#pause(pid, least + this.#random.below(most - least));
      // Nothing goes on without a server.
      if (victim === 'S3 server' || victim === 'Temporal server') await pause;
      return { what, over: pause };
    }
    if (victim === 'S3 server') await s3.restart();
    else if (victim === 'Temporal server') await temporal.restart();
    else process.kill(pid, 'SIGKILL');
    return { what, over: Promise.resolve() };
  }

  /** The name and the process of a victim that is at work now. */
  #find(victim: Victim): readonly [string, number] | undefined {
    const { servers, workers, supervised } = this.#scene;
    const busy = this.#busy();
    if (busy === undefined) return undefined;
    switch (victim) {
      case 'compute process':
        return [victim, busy];
      case 'S3 server':
        return [victim, servers.s3.pid];
      case 'Temporal server':
        return [victim, servers.temporal.pid];
      case 'worker': {
        const service = this.#serviceAtWork(workers);
        return service && [service.name, service.pid];
      }
      default: {
        if (this.#serviceAtWork([supervised]) === undefined) return undefined;
        if (victim === 'supervisor of a worker') return [victim, supervised.pid];
        const [pid] = descendants(supervised.pid, /worker-process/);
        return pid === undefined || this.#stopped.has(pid) ? undefined : [victim, pid];
      }
    }
  }

  #serviceAtWork(services: readonly Service[]): Service | undefined {
    return this.#oneOf(
      services.filter(
        (service) =>
          service !== this.#cutOff && !this.#stopped.has(service.pid) && this.#busy([service]) !== undefined,
      ),
    );
  }

  /** A compute process that has computed since it was looked at last. */
  #busy(services: readonly Service[] = [...this.#scene.workers, this.#scene.supervised]): number | undefined {
    const pids = services.flatMap(({ pid }) => descendants(pid, /compute-process/));
    return this.#oneOf(pids.filter((pid) => !this.#stopped.has(pid) && this.#hasComputed(pid)));
  }

  readonly #ticks = new Map<number, { readonly ticks: number; readonly at: number; grewAt: number }>();

  #hasComputed(pid: number): boolean {
    const now = performance.now();
    const ticks = processTicks(pid);
    const before = this.#ticks.get(pid);
    const grewAt =
      before === undefined ? Number.NEGATIVE_INFINITY : ticks > before.ticks ? now : before.grewAt;
    this.#ticks.set(pid, { ticks, at: now, grewAt });
    return now - grewAt < 2 * lookMs;
  }

  #oneOf<T>(some: readonly T[]): T | undefined {
    return some.length === 0 ? undefined : some[this.#random.below(some.length)];
  }

  async #pause(pid: number, ms: number): Promise<void> {
    this.#stopped.add(pid);
    process.kill(pid, 'SIGSTOP');
    await setTimeout(ms);
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was killed meanwhile.
    }
    this.#stopped.delete(pid);
  }

  /** Looks until there is something. Throws when the study ends before. */
  async #meet<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const seen = look();
      if (seen !== undefined) return seen;
      this.#scene.ended.throwIfAborted();
      await setTimeout(lookMs);
    }
  }
}

/** Fills a disk, and frees it after a while. */
async function fill(disk: SmallDisk): Promise<void> {
  disk.fill();
  await setTimeout(fullMs);
  disk.free();
}
