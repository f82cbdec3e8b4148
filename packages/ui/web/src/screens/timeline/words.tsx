import type { VNode } from "preact";
import { actionState } from "../../acts/acts.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count, durationText } from "../../format/duration.js";
import { ALL_STATUSES, type State, stateOf, tickState } from "../../format/states.js";
import { inZone, shortTime } from "../../format/times.js";
import { Icon } from "../../parts/icon.js";
import { toned } from "../../parts/state.js";
import { countsOf, type Item, idOf, itemsOf, type LiveLane } from "./model/items.js";
import { shown } from "./model/window.js";

/** An item as text, for the tip and for assistive technology. */
function wordsOf(item: Item, now: number, zone: string): { readonly title: string; readonly lines: readonly string[] } {
  const at = shortTime(item.at, now, zone);
  if (item.kind === "tick") {
    const { tick } = item;
    const many = tick.count !== undefined && tick.count > 1 ? [count(tick.count, "tick")] : [];
    return {
      title: `${tickState(tick, now).word} · ${at}`,
      lines: [...many, ...(tick.text === undefined ? [] : [inZone(tick.text, now, zone)])],
    };
  }
  if (item.kind === "mark") {
    const { what, text } = item.mark;
    return { title: `${actionState(what).word} · ${at}`, lines: [inZone(text, now, zone)] };
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

/** The state of an item. */
function stateOfItem(item: Item, now: number): State {
  if (item.kind === "mark") return actionState(item.mark.what);
  return item.kind === "tick" ? tickState(item.tick, now) : stateOf(item.bar[2]);
}

interface TipProps {
  readonly item: Item;
  readonly x: number;
  readonly y: number;
  readonly zone: string;
  readonly width: number;
}

const WIDTH = 260;

/** How many px of the names may be covered. */
const NAMES = 80;

/** Shows the item at the pointer or at the cursor. The mirror announces it to assistive technology. */
export function Tip({ item, x, y, zone, width }: TipProps): VNode {
  const { title, lines } = wordsOf(item, second.value, zone);
  const { icon, tone } = stateOfItem(item, second.value);
  // Left of the pointer if there is no room at its right; on a narrow page, as far right as possible.
  const before = x - WIDTH - 8;
  const left = x + WIDTH + 16 <= width ? x + 14 : before >= -NAMES ? before : width - WIDTH;
  return (
    <div class="tip" aria-hidden="true" style={{ transform: `translate(${left}px, ${y + 14}px)` }}>
      <span {...toned(tone)}>
        <Icon name={icon} />
        {title}
      </span>
      <b class="cut">{item.lane}</b>
      {lines.map((line) => (
        <span class="dim" key={line}>
          {line}
        </span>
      ))}
    </div>
  );
}

/** How many items of the lane are in the page. */
const MOST = 100;

interface MirrorProps {
  readonly lanes: readonly LiveLane[];
  readonly cursor: Item | undefined;
  readonly zone: string;
}

/** The canvas for assistive technology: announces the item at the cursor, and lists its lane. */
export function Mirror({ lanes, cursor, zone }: MirrorProps): VNode {
  const lane = lanes.find(({ name }) => name === cursor?.lane);
  const now = second.peek();
  const said = (item: Item): string => {
    const { title, lines } = wordsOf(item, now, zone);
    return [item.lane, title, ...lines].join(", ");
  };
  return (
    <div class="hidden-text">
      <p role="status">{cursor !== undefined && said(cursor)}</p>
      {lane !== undefined && (
        <ul aria-label={`Runs, ticks and changes of ${lane.name}`}>
          {itemsOf(lane, shown.value, now)
            .slice(-MOST)
            .map((item) => {
              const id = item.kind === "bar" ? idOf(item.bar) : undefined;
              return (
                <li key={`${item.kind} ${item.at} ${item.kind === "mark" ? item.mark.what : ""}`}>
                  <a tabIndex={-1} href={id === undefined ? to.job(lane.name) : to.run(id)}>
                    {said(item)}
                  </a>
                </li>
              );
            })}
        </ul>
      )}
    </div>
  );
}
