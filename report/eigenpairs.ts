import type { HessianContext } from '../artifacts/arrow/measurement-contexts.ts';

/** What is known of the eigenvalues that are not among them, as a clause. */
export function outsideInWords({ outside, order }: Pick<HessianContext, 'outside' | 'order'>): string {
  if (outside?.known === 'none') return 'these are all eigenvalues';
  if (outside?.known === 'bound') {
    const { bound = Number.NaN, failureProbability = 1 } = outside;
    const size = order === 'magnitude' ? ' in magnitude' : '';
    return `all others are at most ${bound.toPrecision(4)}${size} (but for a probability of ${failureProbability})`;
  }
  return outside === undefined
    ? 'nothing says that no eigenvalue before the last is missing'
    : 'others may be missing: `partial: allow`';
}
