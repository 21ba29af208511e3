/** Numbers and times as the window writes them. */

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Binary units with one decimal: 11.4 MiB. Whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.96 KiB would be written as 1024.0: go on to the next unit.
  while (unit < units.length - 1 && Number(value.toFixed(1)) >= 1024) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${units[unit]}`;
}

const counts = new Intl.NumberFormat("en");
export const formatCount = (count: number): string => counts.format(count);

/** "1 page", "12 pages". */
export const plural = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;

export const formatPercent = (percent: number): string =>
  `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`;

/** A measured time: 0.4 s, 12.3 s, 2 min 05 s. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** A time to come, no finer than it can be known: 4 s, 25 s, 1 min 20 s, 12 min. */
export function formatRemaining(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 57.5) return `${Math.round(seconds / 5) * 5} s`;
  if (seconds >= 295) return `${Math.round(seconds / 60)} min`;
  const tens = Math.round(seconds / 10);
  const rest = (tens % 6) * 10;
  return rest === 0 ? `${tens / 6} min` : `${Math.floor(tens / 6)} min ${rest} s`;
}

/** A path's last part, for both kinds of separators. */
export const fileName = (path: string): string => path.split(/[\\/]/).pop() || path;

/** Page numbers as ranges: 1–4, 6, 9–12. */
export function formatPages(pages: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const page of [...pages].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && page <= last[1] + 1) last[1] = page;
    else ranges.push([page, page]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}
