import { batch, computed, signal } from "@preact/signals";
import { place, setQuery } from "../../../app/router.js";
import { second } from "../../../format/clock.js";
import type { Range } from "./items.js";

/** The offered ranges. They move with the time; a fifth of them is in the future. */
export const SPANS = [
  ["1h", 3_600_000, "1 hour"],
  ["24h", 86_400_000, "24 hours"],
  ["7d", 604_800_000, "7 days"],
] as const;

const AHEAD = 0.2;
const SHORTEST = 10_000;
const LONGEST = 90 * 86_400_000;

/** A wheel or a key that rests this long, in ms, has ended its gesture. */
const PAUSE = 250;

/** The range that the user moved to. Undefined: a range that moves with the time. */
const moved = signal<Range | undefined>(undefined);

/** The span that moves with the time; undefined if the user moved away from it. */
export const span = computed(() => {
  if (moved.value !== undefined || fixed.value !== undefined) return undefined;
  const asked = place.value.query.get("range");
  return SPANS.find(([name]) => name === asked) ?? SPANS[1];
});

/** The range in the address. */
const fixed = computed((): Range | undefined => {
  const { query } = place.value;
  const [from, to] = [Number(query.get("from") ?? Number.NaN), Number(query.get("to") ?? Number.NaN)];
  return from < to ? { from, to } : undefined;
});

/** The shown range. */
export const shown = computed((): Range => {
  const range = moved.value ?? fixed.value;
  if (range !== undefined) return range;
  const length = span.value?.[1] ?? SPANS[1][1];
  const to = second.value + length * AHEAD;
  return { from: to - length, to };
});

let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Shows a range, and puts it into the address when the user rests.
 *
 * @param isHeld whether a pointer is down: its gesture ends when it is up, by {@link settle}
 */
export function show(range: Range, isHeld = false): void {
  const length = Math.min(LONGEST, Math.max(SHORTEST, range.to - range.from));
  const middle = (range.from + range.to) / 2;
  moved.value = { from: middle - length / 2, to: middle + length / 2 };
  clearTimeout(timer);
  if (!isHeld) timer = setTimeout(settle, PAUSE);
}

/** Puts the range that the user moved to into the address: "back" undoes the gesture. */
export function settle(): void {
  const range = moved.peek();
  if (range !== undefined) put({ from: String(Math.round(range.from)), to: String(Math.round(range.to)) });
}

/** Moves with the time again. */
export function showSpan(name: string): void {
  put({ range: name });
}

function put(range: Readonly<Record<string, string>>): void {
  batch(() => {
    leave();
    setQuery({ range: undefined, from: undefined, to: undefined, ...range });
  });
}

// "Back" also undoes an unfinished gesture.
addEventListener("popstate", leave);

/** Discards the range that the user moved to: the address has the range. */
export function leave(): void {
  clearTimeout(timer);
  moved.value = undefined;
}

/** Moves by a share of the shown range. */
export function pan(share: number): void {
  const { from, to } = shown.peek();
  const by = (to - from) * share;
  show({ from: from + by, to: to + by });
}

/** Makes the range `factor` times as long; the time at `share` of it stays in place. */
export function zoom(factor: number, share = 0.5): void {
  const { from, to } = shown.peek();
  const length = Math.min(LONGEST, Math.max(SHORTEST, (to - from) * factor));
  const at = from + (to - from) * share;
  show({ from: at - length * share, to: at + length * (1 - share) });
}
