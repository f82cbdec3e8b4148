const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A duration in its two largest units, as the command line has it: `2 h 5 min`, `41 s`, `320 ms`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  return seconds(ms);
}

/** How long a run took. Nobody sees the end of one that is lost: its record is closed when it is noticed. */
export const tookText = (status: string, ms: number): string => `${status === "lost" ? "≤ " : ""}${duration(ms)}`;

/** As `duration`, without parts of a second, for texts that count. */
export function seconds(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1_000)) * 1_000;
  const i = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[i] ?? UNITS[3];
  const first = Math.floor(whole / size);
  const next = UNITS[i + 1];
  if (next === undefined || i === -1) return `${first} ${unit}`;
  const rest = Math.floor((whole % size) / next[1]);
  return rest === 0 ? `${first} ${unit}` : `${first} ${unit} ${rest} ${next[0]}`;
}

/**
 * `in 17 min`, `1 h 44 min ago`, `3 d ago`, `now`: below an hour, the largest unit; after two days, whole
 * days. Of one day and a half, `2 d` would name another night.
 */
export function distance(at: number, now: number): string {
  const ms = Math.abs(at - now);
  if (ms < 1_000) return "now";
  const text = seconds(ms - (ms % (ms < 60_000 ? 1_000 : ms < 2 * 86_400_000 ? 60_000 : 86_400_000)));
  return at > now ? `in ${text}` : `${text} ago`;
}

/** `1 run`, `3 runs`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;

let numbers: Intl.NumberFormat | undefined;

/** A number with its thousands apart. */
export function number(n: number): string {
  // Most numbers are whole; the first format of a page takes a browser several ms.
  if (Number.isSafeInteger(n)) return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
  numbers ??= new Intl.NumberFormat("en-US");
  return numbers.format(n);
}

/** A share of 1 in percent. 99.96 is not 100: something failed. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 99.9 && value < 100) return "99.9 %";
  return `${value >= 99.95 || value === 0 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} %`;
}
