import type { VNode } from "preact";
import { second } from "../../format/clock.js";
import { stateOf, tickState } from "../../format/states.js";
import { Icon } from "../../parts/icon.js";
import type { Item } from "./model/items.js";
import { wordsOf } from "./model/words.js";

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
  const { icon, tone } = item.kind === "tick" ? tickState(item.tick, second.value) : stateOf(item.bar[2]);
  // Left of the pointer if there is no room at its right; on a narrow page, as far right as possible.
  const before = x - WIDTH - 8;
  const left = x + WIDTH + 16 <= width ? x + 14 : before >= -NAMES ? before : width - WIDTH;
  return (
    <div class="tip" aria-hidden="true" style={{ transform: `translate(${left}px, ${y + 14}px)` }}>
      <span class="state" data-tone={tone}>
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
