import type { VNode } from "preact";
import type { Job, Status, Trend } from "../../api/types.js";
import { place, setQuery } from "../../app/router.js";
import { count, durationText, percent } from "../../format/duration.js";
import { stateOf } from "../../format/states.js";

/** How some runs ended: `Last 30 runs: 28 completed, 2 failed`. */
export function outcomesText(statuses: readonly Status[]): string {
  const counts = new Map<Status, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  const ended = [...counts].map(([status, n]) => `${n} ${stateOf(status).word.toLowerCase()}`).join(", ");
  return `Last ${count(statuses.length, "run")}: ${ended}`;
}

const WIDTH = 120;
const HEIGHT = 20;
const SLOTS = 30;

/**
 * The last runs as bars, the oldest first: how long those took that completed, and the others over the whole
 * height, in the colour of their state.
 */
export function Strip({ outcomes }: Pick<Job, "outcomes">): VNode | null {
  if (outcomes.length === 0) return null;
  const longest = Math.max(...outcomes.map(([, ms]) => ms), 1);
  const width = WIDTH / SLOTS;
  const from = (SLOTS - outcomes.length) * width;
  const said = outcomesText(outcomes.map(([status]) => status));
  const label = `${said}; the longest ${durationText(longest)}, the last ${durationText(outcomes.at(-1)?.[1] ?? 0)}`;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <title>{label}</title>
      {outcomes.map(([status, ms], i) => {
        const height = status === "completed" ? Math.max(1.5, (ms / longest) * HEIGHT) : HEIGHT;
        return (
          <rect
            x={from + i * width}
            y={HEIGHT - height}
            width={width - 1}
            height={height}
            style={status === "completed" ? undefined : { fill: `var(--s-${stateOf(status).tone})` }}
          />
        );
      })}
    </svg>
  );
}

/** From this change on, a job counts as slower, or as faster. */
const CHANGED = 0.1;

/** What stands before a small change: less, none, more. */
const SIGNS = ["−", "", "+"];

/** How much slower or faster a job is than in the week before. */
export function TrendMark({ trend: { week, before } }: { readonly trend: Trend }): VNode {
  const share = week / Math.max(1, before) - 1;
  const isSlower = share >= CHANGED;
  const rounded = Math.round(share * 100) / 100;
  const title = `${durationText(week)} in the last 7 days, ${durationText(before)} in the 7 days before`;
  return (
    <span title={title} data-slower={isSlower || undefined} class={isSlower ? undefined : "dim"}>
      {isSlower ? "↑ " : share <= -CHANGED ? "↓ " : SIGNS[Math.sign(rounded) + 1]}
      {share >= 1 ? `${(share + 1).toFixed(1)}×` : percent(Math.abs(rounded))}
    </span>
  );
}

/** The heading of the trends, which sorts by them. */
export function TrendHead(): VNode {
  const isSorted = place.value.query.get("sort") !== null;
  return (
    <th scope="col" class="num" aria-sort={isSorted ? "descending" : undefined}>
      <button
        type="button"
        class="unfold"
        title="The median duration of the last 7 days against the 7 days before. Click to sort by it"
        onClick={() => setQuery({ sort: isSorted ? undefined : "slower" })}
      >
        Trend{isSorted && " ▾"}
      </button>
    </th>
  );
}
