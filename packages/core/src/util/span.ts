const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/**
 * A span of time as people say it: `500 ms`, `2.5 s`, `40 min`, `1 h 30 min`. Of a long one there are its two
 * largest units. A timeout of 2400000 ms is read at night, and must not be counted in zeros.
 */
export function spanText(ms: number): string {
  // A span of another version or program may be no number of ms: it is shown as it is.
  if (!Number.isFinite(ms) || ms < 0) return `${ms} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_999.5) return `${Math.round(ms) / 1_000} s`;
  let rest = Math.round(ms / 1_000) * 1_000;
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

/** A measured time, rounded for people: `12 ms`, `1.2 s`, `3 min 20 s`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  // 59.95 s would be shown as 60.0 s.
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
