/** What happens to a study, in an order that is drawn from a seed. */
import { RandomStream } from '../../science/random.ts';

export const victims = [
  'worker',
  'supervisor of a worker',
  'worker process of a supervisor',
  'compute process',
  'S3 server',
  'Temporal server',
] as const;
export type Victim = (typeof victims)[number];

/** How often each is drawn, against the others. */
const weights: Readonly<Record<Victim, number>> = {
  worker: 3,
  'supervisor of a worker': 2,
  'worker process of a supervisor': 2,
  'compute process': 4,
  'S3 server': 2,
  'Temporal server': 2,
};

export type ChaosEvent =
  | { readonly deed: 'kill' | 'stop'; readonly victim: Victim }
  | { readonly deed: 'restart'; readonly victim: 'database' }
  | { readonly deed: 'fill'; readonly victim: 'disk of a host' }
  | { readonly deed: 'cut off'; readonly victim: 'host' };

export const deeds: Readonly<Record<ChaosEvent['deed'], string>> = {
  kill: 'killed (`kill -9`), and started again',
  stop: 'stopped (`SIGSTOP`) for some seconds',
  restart: 'ended at once (`pg_ctl -m immediate`), and started again',
  fill: 'filled to the last byte, freed later',
  'cut off': 'without network for a minute',
};

/** Every kill and every stop once, then others as their weights say, up to `kills` of both; and one of each of the rest among them. */
export function drawEvents(seed: number, kills: number): ChaosEvent[] {
  const random = new RandomStream(seed, 'chaos/events');
  const each = victims.flatMap((victim) =>
    (['kill', 'stop'] as const).map((deed): ChaosEvent => ({ deed, victim })),
  );
  const lots = victims.flatMap((victim) => Array<Victim>(weights[victim]).fill(victim));
  const drawn = each.slice(0, kills);
  while (drawn.length < kills) {
    const victim = lots[random.below(lots.length)]!;
    drawn.push({ deed: random.below(3) === 0 ? 'stop' : 'kill', victim });
  }
  drawn.push(
    { deed: 'restart', victim: 'database' },
    { deed: 'fill', victim: 'disk of a host' },
    { deed: 'cut off', victim: 'host' },
  );
  for (let last = drawn.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [drawn[last], drawn[other]] = [drawn[other]!, drawn[last]!];
  }
  return drawn;
}

/**
 * After how many finished steps of so many each event comes: evenly over the study but for its end, so that it goes on between them and outlasts them,
 * however fast the machine is.
 */
export function thresholds(events: number, steps: number): number[] {
  return Array.from({ length: events }, (_, index) => Math.floor((index * 0.9 * steps) / events));
}
