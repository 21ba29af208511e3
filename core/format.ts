const UNITS = ["KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes in the binary unit that they are written in, with one decimal but for "B". */
export function byteParts(bytes: number): { readonly value: number; readonly unit: "B" | (typeof UNITS)[number] } {
  if (bytes < 1024) return { value: bytes, unit: "B" };
  let value = bytes;
  let unit = -1;
  // What would round up to 1024.0 is 1.0 of the next unit.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return { value, unit: UNITS[Math.max(unit, 0)] as (typeof UNITS)[number] };
}

/** 411 B, 1.0 KiB, 16.5 MiB, 4.0 GiB. */
export function formatBytes(bytes: number): string {
  const { value, unit } = byteParts(bytes);
  return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
}

/** A part of a whole in per cent with one decimal: "6.9%"; "0.0%" of nothing. */
export function formatShare(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)}%`;
}

/** A duration in units, as exact as it is useful; below ten seconds, a decimal counts. */
export function durationParts(milliseconds: number): {
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
} {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return { seconds };
  const whole = Math.round(seconds);
  if (whole < 60) return { seconds: whole };
  if (whole < 3600) return { minutes: Math.floor(whole / 60), seconds: whole % 60 };
  const minutes = Math.round(whole / 60);
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}

/** "0.4 s", "12 s", "3 min 20 s", "1 h 5 min". */
export function formatDuration(milliseconds: number): string {
  const { hours, minutes, seconds = 0 } = durationParts(milliseconds);
  if (hours !== undefined) return `${hours} h ${minutes} min`;
  if (minutes !== undefined) return `${minutes} min ${seconds} s`;
  return `${seconds < 9.95 ? seconds.toFixed(1) : seconds} s`;
}
