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

/** What is known of a number. */
export interface Known {
  readonly value: number;
  readonly error?: number;
  readonly low?: number;
  readonly high?: number;
  readonly lowerLimit?: number;
  readonly upperLimit?: number;
}

/** Errors to both sides that differ by more than this share are told apart. */
const lopsided = 0.2;

/** {@link formatMeasured}, and `0.75 ± 0.05 (+0.06 −0.04)` where the errors to both sides differ; `> 0.9 (95 %)` where there is but a limit. */
export function formatKnown({ value, error, low, high, lowerLimit, upperLimit }: Known): string {
  if (Number.isNaN(value)) {
    const limits = [
      ...(lowerLimit === undefined ? [] : [`> ${formatSignificant(lowerLimit)}`]),
      ...(upperLimit === undefined ? [] : [`< ${formatSignificant(upperLimit)}`]),
    ];
    return limits.length === 0 ? formatSignificant(value) : `${limits.join(', ')} (95 %)`;
  }
  const shown = formatMeasured(value, error);
  if (low === undefined || high === undefined) return shown;
  const [up, down] = [high - value, value - low];
  return Math.abs(up - down) > (lopsided * (up + down)) / 2
    ? `${shown} (+${formatSignificant(up, 2)} −${formatSignificant(down, 2)})`
    : shown;
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
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : trimZeros(value.toPrecision(3))} ${units[unit]}`;
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const rounded = seconds < 3600 ? Math.round(seconds) : Math.round(seconds / 60) * 60;
  const first = units.findIndex(([, size]) => rounded >= size);
  const [name, size] = units[first]!;
  const [smallName, smallSize] = units[first + 1] ?? ['s', 1];
  const rest = Math.floor((rounded % size) / smallSize);
  return `${Math.floor(rounded / size)} ${name}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

/** `2026-11-25 11:24 UTC, 3 min ago` */
export function formatMoment(iso: string, now: Date): string {
  const [amount, unit] = formatDuration((now.getTime() - Date.parse(iso)) / 1000).split(' ');
  const ago = unit === undefined || unit === 'ms' ? 'just now' : `${Math.floor(Number(amount))} ${unit} ago`;
  return `${iso.slice(0, 16).replace('T', ' ')} UTC, ${ago}`;
}

/** 12800 -> "12,800" */
export function formatCount(count: number): string {
  // To load what knows of all languages takes longer than many a command.
  return Number.isSafeInteger(count)
    ? String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')
    : count.toLocaleString('en-US');
}

/** 1, "cell" -> "1 cell"; 2, "cell" -> "2 cells". */
export function plural(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** 3, 5, "cell" -> "3 of 5 cells"; 5, 5, "cell" -> "5 cells". */
export function countOf(n: number, total: number, noun: string): string {
  return n === total ? plural(n, noun) : `${formatCount(n)} of ${plural(total, noun)}`;
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
