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

/** `512 B`, `84.8 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

/** `12,800` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 cell`, `3 cells` */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2026-11-25 11:24 UTC, 3 min ago` */
export function formatMoment(iso: string, now: Date): string {
  const [amount, unit] = formatDuration((now.getTime() - Date.parse(iso)) / 1000).split(' ');
  const ago = unit === undefined || unit === 'ms' ? 'just now' : `${Math.floor(Number(amount))} ${unit} ago`;
  return `${iso.slice(0, 16).replace('T', ' ')} UTC, ${ago}`;
}
