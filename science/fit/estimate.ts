import type { Interval } from './profile.ts';

/** Of a parameter that is fitted: NaN where the data decide nothing. */
export interface Fitted {
  readonly value: number;
  /** Half of the interval from `low` to `high`. */
  readonly error: number;
  /** Ends of the interval of 68.3 %. */
  readonly low: number;
  readonly high: number;
  /** With 95 % confidence it lies above or below; only where there is no value. */
  readonly lowerLimit: number;
  readonly upperLimit: number;
  readonly theory: number;
  /** The root of what chi-square rises by at theory's value, with the sign of value - theory. */
  readonly deviation: number;
}

/** How the parts of {@link Fitted} are called in the columns of a `parameters` table. */
const suffixes = {
  value: '',
  error: '_standard_error',
  low: '_low',
  high: '_high',
  lowerLimit: '_lower_limit',
  upperLimit: '_upper_limit',
  theory: '_theory',
  deviation: '_deviation',
} as const satisfies Record<keyof Fitted, string>;

export type FittedColumns<Name extends string> = Readonly<
  Record<`${Name}${(typeof suffixes)[keyof Fitted]}`, number>
>;

export function fittedColumns<Name extends string>(name: Name, fitted: Fitted): FittedColumns<Name> {
  const entries = Object.entries(suffixes).map(([part, suffix]) => [
    `${name}${suffix}`,
    fitted[part as keyof Fitted],
  ]);
  return Object.fromEntries(entries) as FittedColumns<Name>;
}

/** What chi-square rises by at the ends of an interval of 68.3 %, of one of 95 %, and at a one-sided limit of 95 %. */
const [oneSigma, certain, oneSided] = [1, 3.841, 2.706];

const none = Number.NaN;

/** Of a parameter that is not fitted. */
export const notFitted = {
  value: none,
  error: none,
  low: none,
  high: none,
  lowerLimit: none,
  upperLimit: none,
  deviation: none,
} as const;

/** The profile of chi-square along the logarithm of one parameter. */
export interface LogProfile {
  /** Where it has risen by so much. */
  readonly interval: (bound: number) => Interval;
  /** What it has risen by at a place. */
  readonly rise: (logarithm: number) => number;
}

/**
 * A value with its interval where the data determine it, that is, bound it on both sides (95 %); else its limits, as far as there are any.
 *
 * @param isInside Whether the value lies where there are data at all.
 */
export function estimate(value: number, theory: number, profile: LogProfile, isInside = true): Fitted {
  const exp = (end: number | undefined) => (end === undefined ? none : Math.exp(end));
  const sure = profile.interval(certain);
  if (!isInside || sure.low === undefined || sure.high === undefined) {
    const { low, high } = profile.interval(oneSided);
    return { ...notFitted, theory, lowerLimit: exp(low), upperLimit: exp(high) };
  }
  const { low, high } = profile.interval(oneSigma);
  return {
    ...notFitted,
    value,
    error: (exp(high) - exp(low)) / 2,
    low: exp(low),
    high: exp(high),
    theory,
    deviation: Math.sign(value - theory) * Math.sqrt(profile.rise(Math.log(theory))),
  };
}

/** Says so where a parameter is not determined. */
export function undecided(name: string, { value, lowerLimit, upperLimit }: Fitted): string[] {
  if (!Number.isNaN(value)) return [];
  const round = (limit: number) => Number(limit.toPrecision(3));
  const limits = [
    ...(Number.isNaN(lowerLimit) ? [] : [`above ${round(lowerLimit)}`]),
    ...(Number.isNaN(upperLimit) ? [] : [`below ${round(upperLimit)}`]),
  ];
  const known =
    limits.length === 0 ? 'nothing is known of it' : `with 95 % confidence it lies ${limits.join(' and ')}`;
  return [`The directions do not determine ${name}: ${known}.`];
}
