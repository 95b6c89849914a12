import type { HessianContext } from '../../artifacts/arrow/measurement-contexts.ts';
import { findMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import { DamagedArtifactError } from '../../artifacts/errors.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { outsideInWords } from '../../report/eigenpairs.ts';
import { deviationOf } from './orthonormality.ts';

export interface Check {
  readonly ok: boolean;
  readonly what: string;
  readonly found: string;
}

const checks: Partial<Record<ArtifactKind, (table: ArrowTable, what: string) => Check[]>> = {
  eigenpairs: checkEigenpairs,
  series: checkSeries,
  spectrum: checkIdentity,
};

/**
 * Checks what a whole artifact claims: eigenpairs their residuals and orthonormality, a recorded series that it has every step and begins where it is relative to, a
 * spectrum equation (18). One that cannot be read is bad.
 */
export async function checkContent(store: Store, ref: ArtifactRef, what: string): Promise<Check[]> {
  const check = checks[ref.kind];
  if (check === undefined) return [];
  try {
    return check(await store.open(ref), what);
  } catch (error) {
    if (!(error instanceof DamagedArtifactError)) throw error;
    return [{ ok: false, what, found: error.message }];
  }
}

function checkEigenpairs(table: ArrowTable, what: string): Check[] {
  const claims = findMetadata(table, 'hessian');
  if (claims === undefined) return [];
  const residuals = table.numbers('residual');
  const largest = table.numbers('eigenvalue').reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = residuals.reduce((max, value) => Math.max(max, value), 0) / largest;
  const vectors = Array.from({ length: table.rows }, (_, row) => table.floatVector('vector', row));
  const { measured, bound, how } = deviationOf(vectors);
  return [
    checkOutside(table, claims, largest, what),
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

/**
 * That no eigenvalue before the last one is missing. The matrix is not there any more, so it is the file's own bound that is held against its
 * eigenvalues: pairs without one, as from one Krylov space alone, may lack copies of multiple eigenvalues.
 */
function checkOutside(table: ArrowTable, claims: HessianContext, largest: number, what: string): Check {
  const { outside, asked, tolerance, order } = claims;
  const values = [...table.numbers('eigenvalue')];
  const last = Math.min(...values.map((value) => (order === 'magnitude' ? Math.abs(value) : value)));
  const said = (ok: boolean, found: string): Check => ({ ok, what: `${what}, completeness`, found });
  const words = outsideInWords(claims);
  if (outside === undefined || outside.known === 'none') return said(outside !== undefined, words);
  if (outside.known === 'nothing') return said(true, `${values.length} of ${asked} asked for, and ${words}`);
  const { bound = Number.NaN, failureProbability = 1 } = outside;
  if (values.length !== asked)
    return said(false, `${values.length} pairs, but ${asked} were asked for and are said to be there`);
  // What the tolerance leaves open, or products in float32.
  const slack = 1.01 * Math.max(tolerance, 1e-6) * largest;
  return said(
    bound <= last + slack && failureProbability <= 0.01,
    `${words}, the last is ${last.toPrecision(4)}`,
  );
}

/** Of a series of recorded weights, relative to the first ones: that theta is 0 there, of the length that is claimed, and there at every step. */
function checkSeries(table: ArrowTable, what: string): Check[] {
  if (!['record', 'project'].includes(findMetadata(table, 'stage') ?? '')) return [];
  const every = findMetadata(table, 'every') ?? 1;
  const steps = table.numbers('step');
  const gap = steps.findIndex((step, row) => step !== steps[0]! + row * every);
  const first = table.floatVector('theta', 0);
  const length = findMetadata(table, 'sketch')?.size ?? findMetadata(table, 'eigenvalues')?.length;
  const ok = gap < 0 && first.length === length && first.every((value) => value === 0);
  const found = ok
    ? `${table.rows} steps${every === 1 ? '' : `, one of ${every}`}, from 0 in ${length} directions`
    : gap >= 0
      ? `row ${gap} is step ${steps[gap]}, not ${steps[0]! + gap * every}`
      : `the first of ${table.rows} steps is not 0 in ${length} directions`;
  return [{ ok, what: `${what}, steps`, found }];
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
