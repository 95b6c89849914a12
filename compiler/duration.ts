const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds in a duration such as `90s`, `30m`, `12h` or `2d`. */
export function milliseconds(duration: string): number {
  return Number(duration.slice(0, -1)) * units[duration.slice(-1)]!;
}
