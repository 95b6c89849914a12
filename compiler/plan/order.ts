import type { Span, TextDiagnostics } from '../diagnostics/text-diagnostics.ts';

/** Stage `from` waits for stage `to`, and where the file says so. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** The output that it takes; none of one named under `needs:`. */
  readonly output?: string;
  readonly span: Span;
}

/**
 * The stages in an order in which each comes after what it waits for; otherwise as in the file. Reports each cycle once, with its path, at
 * the reference that closes it.
 */
export function orderStages(
  names: readonly string[],
  edges: readonly Edge[],
  diagnostics: TextDiagnostics,
): string[] {
  const known = new Set(names);
  const edgesOf = Map.groupBy(
    edges.filter(({ to }) => known.has(to)),
    ({ from }) => from,
  );
  const ordered: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const open = (name: string) => {
    state.set(name, 'open');
    return { name, left: [...(edgesOf.get(name) ?? [])] };
  };
  for (const first of names) {
    const path = state.has(first) ? [] : [open(first)];
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const { name, left } = last;
      const edge = left.shift();
      if (edge === undefined) {
        path.pop();
        state.set(name, 'done');
        ordered.push(name);
      } else if (edge.to === name) {
        diagnostics.error('cycle', edge.span, `stage \`${name}\` waits for itself`, 'refer to another stage');
      } else if (state.get(edge.to) === 'open') {
        const cycle = path.map((step) => step.name).slice(path.findIndex((step) => step.name === edge.to));
        diagnostics.error(
          'cycle',
          edge.span,
          `these stages wait for each other: ${[...cycle, edge.to].join(' -> ')}`,
          'an arrow reads "waits for"; remove one of these references',
        );
      } else if (!state.has(edge.to)) path.push(open(edge.to));
    }
  }
  return ordered;
}
