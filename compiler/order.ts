import type { Problems, Span } from './problems.ts';

/** Stage `from` waits for stage `to`, and where the file says so. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly span: Span;
}

/**
 * The stages in an order in which each comes after what it waits for; otherwise as in the file. Reports each cycle once, with its path, at
 * the reference that closes it.
 */
export function orderStages(names: readonly string[], edges: readonly Edge[], problems: Problems): string[] {
  const ordered: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (name: string): void => {
    state.set(name, 'open');
    path.push(name);
    for (const edge of edges) {
      if (edge.from !== name || !names.includes(edge.to)) continue;
      if (edge.to === name) {
        problems.error('cycle', edge.span, `stage \`${name}\` waits for itself`, 'refer to another stage');
      } else if (state.get(edge.to) === 'open') {
        const cycle = [...path.slice(path.indexOf(edge.to)), edge.to];
        problems.error(
          'cycle',
          edge.span,
          `these stages wait for each other: ${cycle.join(' -> ')}`,
          'an arrow reads "waits for"; remove one of these references',
        );
      } else if (!state.has(edge.to)) visit(edge.to);
    }
    path.pop();
    state.set(name, 'done');
    ordered.push(name);
  };
  for (const name of names) if (!state.has(name)) visit(name);
  return ordered;
}
