import { count, duration } from "../../../format/duration.js";
import { stateOf, tickState } from "../../../format/states.js";
import { shortTime } from "../../../format/times.js";
import type { Item } from "./items.js";

/** An item in words, for the tip and for assistive technology. */
export function wordsOf(
  item: Item,
  now: number,
  zone: string,
): { readonly title: string; readonly lines: readonly string[] } {
  const at = shortTime(item.at, now, zone);
  if (item.kind === "tick") {
    const { tick } = item;
    const many = tick.count !== undefined && tick.count > 1 ? [count(tick.count, "tick")] : [];
    return {
      title: `${tickState(tick, now).word} · ${at}`,
      lines: [...many, ...(tick.text === undefined ? [] : [tick.text])],
    };
  }
  const [start, end, status, n, id] = item.bar;
  const word = stateOf(status).word;
  // Of a run without an id, only the minute or the hour is known in which it began.
  if (n > 1 || id === undefined)
    return {
      title: count(n, "run"),
      lines: [`from ${at} to ${shortTime(end, now, zone)}`, `${n > 1 ? "the worst: " : ""}${word.toLowerCase()}`],
    };
  return {
    title: `${word} · ${at}`,
    lines: [status === "running" ? `for ${duration(now - start)}` : `took ${duration(end - start)}`],
  };
}
