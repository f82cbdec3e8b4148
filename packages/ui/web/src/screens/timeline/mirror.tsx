import type { VNode } from "preact";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { type Item, idOf, itemsOf, type LiveLane } from "./model/items.js";
import { shown } from "./model/window.js";
import { wordsOf } from "./model/words.js";

/** How many items of the lane are in the page. */
const MOST = 100;

interface MirrorProps {
  readonly lanes: readonly LiveLane[];
  readonly cursor: Item | undefined;
  readonly zone: string;
}

/**
 * The content of the canvas for assistive technology: it announces the item at the cursor, and lists its
 * lane.
 */
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
        <ul aria-label={`Runs and ticks of ${lane.name}`}>
          {itemsOf(lane, shown.value, now)
            .slice(-MOST)
            .map((item) => {
              const id = item.kind === "bar" ? idOf(item.bar) : undefined;
              return (
                <li key={`${item.kind} ${item.at}`}>
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
