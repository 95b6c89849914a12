import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store.ts';
import type { ArrowTable } from '../artifacts/table.ts';
import { deviationOf } from './orthonormality.ts';
import type { ListedArtifact } from './study-records.ts';

export interface Check {
  readonly ok: boolean;
  readonly what: string;
  readonly found: string;
}

/** Reads every artifact again: its digest, the parts of a trajectory, eigenpairs against what they claim, and equation (18) in a spectrum. */
export async function verifyArtifacts(store: Store, artifacts: readonly ListedArtifact[]): Promise<Check[]> {
  const checks: Check[] = [];
  const seen = new Set<string>();
  for (const artifact of artifacts) {
    if (seen.has(artifact.sha256)) continue;
    seen.add(artifact.sha256);
    const what = `${artifact.cell} ${artifact.stage}.${artifact.output} ${artifact.sha256.slice(0, 12)}`;
    const whole = await store.verify(artifact);
    checks.push({ ok: whole, what, found: whole ? 'digest matches' : 'damaged or gone' });
    if (whole) checks.push(...(await checkContent(store, artifact, what)));
  }
  return checks;
}

async function checkContent(store: Store, artifact: ArtifactRef, what: string): Promise<Check[]> {
  const table = await store.open(artifact);
  if (table.kind === 'trajectory') return checkParts(store, table, what);
  if (table.kind === 'eigenpairs') return checkEigenpairs(table, what);
  if (table.kind === 'spectrum') return checkIdentity(table, what);
  return [];
}

async function checkParts(store: Store, table: ArrowTable, what: string): Promise<Check[]> {
  const digests = table.strings('sha256');
  const missing: string[] = [];
  for (const sha256 of digests) {
    const ref = await store.find(sha256, 'trajectory-part');
    if (ref === undefined || !(await store.verify(ref))) missing.push(sha256.slice(0, 12));
  }
  const found =
    missing.length === 0
      ? `${digests.length} parts match their digests`
      : `damaged or gone: ${missing.join(', ')}`;
  return [{ ok: missing.length === 0, what: `${what}, parts`, found }];
}

function checkEigenpairs(table: ArrowTable, what: string): Check[] {
  const claims = JSON.parse(table.metadata['epochal.hessian']!) as {
    tolerance: number;
    orthonormality: number;
  };
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
