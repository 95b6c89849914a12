/** What eigenpairs of a Hessian say of themselves, in their metadata `epochal.hessian`. */
export interface HessianClaims {
  readonly tolerance: number;
  readonly orthonormality: number;
  readonly order: 'algebraic' | 'magnitude';
  readonly asked: number;
  readonly outside?: {
    readonly known: 'bound' | 'none' | 'nothing';
    readonly bound?: number;
    readonly failureProbability?: number;
  };
}

/** What they claim; undefined for principal components, which claim nothing of the kind. */
export function hessianClaims(metadata: Readonly<Record<string, string>>): HessianClaims | undefined {
  const text = metadata['epochal.hessian'];
  return text === undefined ? undefined : (JSON.parse(text) as HessianClaims);
}

/** What is known of the eigenvalues that are not among them, as a clause. */
export function outsideInWords({ outside, order }: HessianClaims): string {
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
