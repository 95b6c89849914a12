/** Numbers as people read them: significant digits, a true minus sign, thin powers of ten, and an uncertainty that sets the digits. */

/** `value` with `digits` significant digits, without trailing zeros: 1234 -> "1234", 0.000123 -> "1.23 × 10⁻⁴". NaN -> "–". */
export function formatSignificant(value: number, digits = 3): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const power = exponentOf(value, digits);
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return minus(String(value));
  if (power < -3 || power > 6) return withPower(trimZeros((value / 10 ** power).toFixed(digits - 1)), power);
  return minus(trimZeros(value.toFixed(Math.max(0, digits - 1 - power))));
}

/** Relative spread of equal numbers that were summed in doubles, at most. */
const roundingError = 1e-12;

/**
 * `value ± error` with two significant digits of the error: 0.37214, 0.0153 -> "0.372 ± 0.015". A common power of ten is put behind brackets.
 * Without a usable error, or with one that is but rounding of doubles: {@link formatSignificant} of the value.
 */
export function formatMeasured(value: number, error: number | undefined): string {
  if (
    error === undefined ||
    !(error > roundingError * Math.abs(value)) ||
    !Number.isFinite(error) ||
    !Number.isFinite(value)
  )
    return formatSignificant(value);
  const leading = Math.max(exponentOf(value, 12), exponentOf(error, 2));
  const last = exponentOf(error, 2) - 1;
  if (leading < -3 || leading > 6) {
    const decimals = Math.max(0, leading - last);
    const scaled = (x: number) => minus((x / 10 ** leading).toFixed(decimals));
    return `(${scaled(value)} ± ${scaled(error)}) × 10${superscript(leading)}`;
  }
  const round = (x: number) => (last > 0 ? Math.round(x / 10 ** last) * 10 ** last : x);
  const decimals = Math.max(0, -last);
  return `${minus(round(value).toFixed(decimals))} ± ${round(error).toFixed(decimals)}`;
}

/** 1234567 -> "1.23 MB" (powers of 1000). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : trimZeros(value.toPrecision(3))} ${units[unit]}`;
}

/** 0.42 -> "0.42 s", 83 -> "1 min 23 s", 7384 -> "2 h 3 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.5) return `${formatSignificant(Number(seconds.toPrecision(seconds < 10 ? 2 : 3)), 3)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1, "cell" -> "1 cell"; 2, "cell" -> "2 cells". */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}

/** 3, 5, "cell" -> "3 of 5 cells"; 5, 5, "cell" -> "5 cells". */
export function countOf(n: number, total: number, noun: string): string {
  return n === total ? count(n, noun) : `${n.toLocaleString('en-US')} of ${count(total, noun)}`;
}

/** Power of ten of the first digit, after rounding to `digits` digits. */
function exponentOf(value: number, digits: number): number {
  if (value === 0) return Number.NEGATIVE_INFINITY;
  return Number(
    Math.abs(value)
      .toExponential(digits - 1)
      .split('e')[1],
  );
}

function withPower(mantissa: string, power: number): string {
  const text = minus(mantissa);
  return text === '1' ? `10${superscript(power)}` : `${text} × 10${superscript(power)}`;
}

function superscript(power: number): string {
  return [...String(power)].map((sign) => (sign === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)])).join('');
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function minus(text: string): string {
  return text.replace('-', '−');
}
