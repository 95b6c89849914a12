import { formatSignificant } from '../../numbers.ts';

/** Range of a logarithmic axis with its ticks. */
export interface LogScale {
  readonly domain: readonly [number, number];
  /** Ticks with a label and a grid line. */
  readonly major: readonly number[];
  readonly minor: readonly number[];
}

/**
 * A range that holds all positive values with a small margin. Powers of ten are labelled; in short ranges also
 * 2 and 5 times them. Throws if no value is positive and finite.
 */
export function logScale(values: Iterable<number>): LogScale {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const value of values) {
    if (!isPlottable(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === 0) throw new Error('There is no positive value to show on a logarithmic axis.');
  const margin = Math.min(0.2, Math.max(0.06, Math.log10(high / low) / 18));
  const domain = [low / 10 ** margin, high * 10 ** margin] as const;
  const decades = Math.log10(domain[1] / domain[0]);
  const every = Math.max(1, Math.ceil(decades / 9));
  const labelled = decades < 1 ? [1, 2, 3, 5, 7] : decades < 2.2 ? [1, 2, 5] : [1];
  const major: number[] = [];
  const minor: number[] = [];
  for (let power = Math.floor(Math.log10(domain[0])); power <= Math.log10(domain[1]); power++) {
    for (let digit = 1; digit <= 9; digit++) {
      const tick = Number(`${digit}e${power}`);
      if (tick < domain[0] || tick > domain[1]) continue;
      if (labelled.includes(digit) && power % every === 0) major.push(tick);
      else if (every === 1) minor.push(tick);
    }
  }
  return { domain, major, minor };
}

/** Whether a logarithmic axis can show this value. */
export function isPlottable(value: number | undefined): value is number {
  return value !== undefined && value > 0 && Number.isFinite(value);
}

/** Vega-Lite's `scale` and `axis` of a logarithmic channel. */
export function logChannel({ domain, major, minor }: LogScale, title: string, pixelsAcross: number) {
  const isMajor = `indexof(${JSON.stringify(major)}, datum.value) >= 0`;
  const labels = JSON.stringify(
    Object.fromEntries(major.map((tick) => [String(tick), tickLabel(tick, domain)])),
  );
  return {
    scale: { type: 'log' as const, domain: [...domain], nice: false as const },
    axis: {
      title,
      values: [...major, ...minor],
      labelExpr: `${labels}[datum.value] || ''`,
      labelOverlap: false as const,
      labelBound: false,
      // Long axes have room for all labels; `pixelsAcross` keeps a short one from crowding.
      labelFontSize: pixelsAcross / Math.max(1, major.length) < 30 ? 10 : 12,
      tickSize: { condition: { test: isMajor, value: 5 }, value: 3 },
      gridOpacity: { condition: { test: isMajor, value: 1 }, value: 0 },
    },
  };
}

function tickLabel(tick: number, [low, high]: readonly [number, number]): string {
  if (low >= 1e-3 && high <= 2e4) return formatSignificant(tick, 1);
  const power = Math.floor(Math.log10(tick) + 1e-9);
  const digit = Math.round(tick / 10 ** power);
  const exponent = `10^{${String(power).replace('-', '−')}}`;
  return digit === 1 ? exponent : `${digit}·${exponent}`;
}
