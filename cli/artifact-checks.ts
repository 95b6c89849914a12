import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store.ts';
import type { ArrowTable } from '../artifacts/table.ts';
import { deviationOf } from './orthonormality.ts';

export interface Check {
  readonly ok: boolean;
  readonly what: string;
  readonly found: string;
}

/** Checks what a whole artifact claims: eigenpairs their residuals and orthonormality, a spectrum equation (18). */
export async function checkContent(store: Store, ref: ArtifactRef, what: string): Promise<Check[]> {
  if (ref.kind !== 'eigenpairs' && ref.kind !== 'spectrum') return [];
  const table = await store.open(ref);
  return table.kind === 'eigenpairs' ? checkEigenpairs(table, what) : checkIdentity(table, what);
}

function checkEigenpairs(table: ArrowTable, what: string): Check[] {
  const hessian = table.metadata['epochal.hessian'];
  // Principal components come without such claims.
  if (hessian === undefined) return [];
  const claims = JSON.parse(hessian) as { tolerance: number; orthonormality: number };
  const residuals = table.numbers('residual');
  const largest = table.numbers('eigenvalue').reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = residuals.reduce((max, value) => Math.max(max, value), 0) / largest;
  const vectors = Array.from({ length: table.rows }, (_, row) => table.floatVector('vector', row));
  const { measured, bound, how } = deviationOf(vectors);
  return [
    {
      ok: worst <= claims.tolerance,
      what: `${what}, residuals`,
      found: `at most ${worst.toExponential(1)} of the largest eigenvalue, tolerance ${claims.tolerance}`,
    },
    {
      ok: measured <= bound(Math.max(claims.orthonormality, 5e-7)),
      what: `${what}, orthonormality`,
      found: `deviation ${measured.toExponential(1)} ${how}, claimed ${claims.orthonormality.toExponential(1)} of a pair`,
    },
  ];
}

/** tau_i = 2 sigma_theta,i^2 / sigma_v,i^2, equation (18), in every direction. */
function checkIdentity(table: ArrowTable, what: string): Check[] {
  const [tau, weight, velocity] = ['correlation_time', 'weight_variance', 'velocity_variance'].map((name) =>
    table.numbers(name),
  );
  let worst = 0;
  for (let i = 0; i < table.rows; i++)
    worst = Math.max(worst, Math.abs((tau![i]! * velocity![i]!) / (2 * weight![i]!) - 1));
  return [{ ok: worst < 1e-9, what: `${what}, equation (18)`, found: `holds to ${worst.toExponential(1)}` }];
}
