import { count, durationText } from "../../../format/duration.js";
import { ALL_STATUSES, stateOf, tickState } from "../../../format/states.js";
import { inZone, shortTime } from "../../../format/times.js";
import { countsOf, type Item, idOf } from "./items.js";

/** An item as text, for the tip and for assistive technology. */
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
      lines: [...many, ...(tick.text === undefined ? [] : [inZone(tick.text, now, zone)])],
    };
  }
  const [start, end, status, n] = item.bar;
  // For a run without an id, only the minute or the hour of its start is known.
  if (idOf(item.bar) === undefined) {
    const counts = countsOf(item.bar);
    const parts = ALL_STATUSES.flatMap((each) => {
      const word = stateOf(each).word.toLowerCase();
      return counts[each] === undefined ? [] : [count(counts[each], word, word)];
    });
    return { title: count(n, "run"), lines: [`from ${at} to ${shortTime(end, now, zone)}`, parts.join(", ")] };
  }
  return {
    title: `${stateOf(status).word} · ${at}`,
    lines: [status === "running" ? `for ${durationText(now - start)}` : `took ${durationText(end - start)}`],
  };
}
