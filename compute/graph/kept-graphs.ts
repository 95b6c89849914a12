/**
 * Graphs that stay from one piece of work to the next (compute/tensorflow.ts: `beginWork`). To record, load and optimize one takes longer than many a
 * stage computes. One is found again only by all that decides it, and only within a piece of work: elsewhere each graph is recorded where it is asked for.
 */
import { availableParallelism, totalmem } from 'node:os';
import { openSessions, type Session } from './sessions.ts';

/** A graph, and what is known of it. */
interface Loaded {
  readonly session: Session;
}

/** The use of a graph until it is released; then it may go. */
export interface Lease<Graph> {
  readonly graph: Graph;
  release(): void;
}

interface Kept {
  readonly graph: Loaded;
  /** Its leases. */
  readonly users: Set<object>;
}

/** What may be held by graphs that nobody uses at the moment: a tenth of the memory by the processes of all cores. */
export const mostKeptBytes = Math.min(400e6, totalmem() / availableParallelism() / 10);

/** The piece of work of the moment: names the gradients that are registered, by which graphs differ too. */
let gradients: (() => string) | undefined;
/** Least recently used first. */
const kept = new Map<string, Kept>();
let recorded = 0;

/** From now on graphs are kept, and found again. `registered` names the gradients that are registered when it is called. */
export function keepGraphs(registered: () => string): void {
  gradients = registered;
}

/** Ends a piece of work: what it has loaded is given back, but for what is kept within the bounds. */
export function releaseGraphs(): void {
  gradients = undefined;
  for (const { users } of kept.values()) users.clear();
  shrink();
  const stay = new Set([...kept.values()].map(({ graph }) => graph.session));
  for (const session of openSessions())
    if (stay.has(session)) session.forget();
    else session.dispose();
}

/** How many graphs this process has recorded, holds open and keeps. */
export function countGraphs(): { readonly recorded: number; readonly open: number; readonly kept: number } {
  return { recorded, open: openSessions().size, kept: kept.size };
}

/**
 * The graph that was made under `key` before, or that `make` makes now. Without a key, or outside of a piece of work, always the latter. `isDecided` says of
 * a graph that was made whether it is decided by its key.
 */
export function leaseGraph<Graph extends Loaded>(
  key: string | undefined,
  make: () => Graph,
  isDecided: (graph: Graph) => boolean = () => true,
): Lease<Graph> {
  const name = key === undefined || gradients === undefined ? undefined : `${gradients()} ${key}`;
  const found = name === undefined ? undefined : kept.get(name);
  if (name !== undefined && found !== undefined) {
    kept.delete(name);
    kept.set(name, found);
    return leaseOf(found.graph as Graph, found.users);
  }
  const graph = make();
  recorded++;
  if (name === undefined || graph.session.bytes > mostKeptBytes || !isDecided(graph))
    return { graph, release: () => graph.session.dispose() };
  const users = new Set<object>();
  kept.set(name, { graph, users });
  const lease = leaseOf(graph, users);
  shrink();
  return lease;
}

function leaseOf<Graph>(graph: Graph, users: Set<object>): Lease<Graph> {
  const lease = { graph, release: () => void users.delete(lease) };
  users.add(lease);
  return lease;
}

/** Those that were used least recently go, until the rest is within the bounds. One in use stays. */
function shrink(): void {
  let bytes = [...kept.values()].reduce((sum, { graph }) => sum + graph.session.bytes, 0);
  for (const [name, { graph, users }] of kept) {
    if (bytes <= mostKeptBytes) return;
    if (users.size > 0) continue;
    kept.delete(name);
    bytes -= graph.session.bytes;
    graph.session.dispose();
  }
}
