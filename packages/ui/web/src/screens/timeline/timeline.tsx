import { effect } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import "../../css/timeline.css";
import { place } from "../../app/router.js";
import { zoneFor, zoneOfJob } from "../../format/zone.js";
import { running } from "../../live/live.js";
import { onNews } from "../../live/news.js";
import { Icon } from "../../parts/icon.js";
import { FindField } from "../../parts/lists/find.js";
import { RangeField } from "../../parts/lists/range-field.js";
import { Page } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Chart } from "./chart.js";
import { type LiveLane, withRunning } from "./model/items.js";
import { Lanes } from "./model/lanes.js";
import { leave, SPANS, show, shown, showSpan, span, zoom } from "./model/window.js";

/**
 * The zone of the axis and of the fields: that of the jobs, if they share one. While more lanes may come,
 * that is not known: the axis would change during scrolling.
 */
function zoneOf(lanes: readonly LiveLane[], more: boolean): string {
  const zones = more ? [] : lanes.filter(({ name }) => zoneOfJob(name) !== undefined).map(({ name }) => zoneFor(name));
  return new Set(zones).size === 1 ? (zones[0] as string) : zoneFor(undefined);
}

/** A lane for each job: its runs, the ticks that were not run, and the coming ones. */
export function TimelineScreen(): VNode {
  const lanes = useMemo(() => new Lanes(), []);
  const px = useRef(innerWidth);
  const q = place.value.query.get("q") ?? "";
  // Not during rendering: the page is not rendered again while the user moves through time.
  useEffect(() => effect(() => lanes.want(shown.value, px.current, q)), [q]);
  useEffect(() => {
    const off = onNews(() => lanes.refresh());
    return () => {
      off();
      lanes.close();
      leave();
    };
  }, []);
  const loaded = lanes.lanes.value;
  const adds = q === "" && !lanes.more.value;
  const runs = running.value;
  const live = useMemo(() => withRunning(loaded ?? [], runs?.values() ?? [], adds), [loaded, runs, adds]);
  const zone = zoneOf(live, lanes.more.value);
  return (
    <Page
      title="Timeline"
      full
      said={<span role="status">{lanes.isCounting.value && "Older runs are being counted."}</span>}
      end={
        <>
          <FindField label="Find a job" />
          <RangeField zone={zone} show={(from, to) => show({ from, to })} />
          <fieldset class="segments" aria-label="Range">
            {SPANS.map(([name, , label]) => (
              <button
                type="button"
                key={name}
                aria-pressed={span.value?.[0] === name}
                title={label}
                onClick={() => showSpan(name)}
              >
                {name}
              </button>
            ))}
          </fieldset>
          <fieldset class="segments" aria-label="Zoom">
            <button type="button" aria-label="Zoom in" onClick={() => zoom(0.5)}>
              <Icon name="zoomIn" />
            </button>
            <button type="button" aria-label="Zoom out" onClick={() => zoom(2)}>
              <Icon name="zoomOut" />
            </button>
          </fieldset>
        </>
      }
    >
      <Loaded of={{ data: lanes.lanes, error: lanes.error }} rows={14}>
        {({ length }) =>
          length === 0 ? (
            <Empty title={q === "" ? "No job ran, and none is due" : `No job matches “${q}”`}>
              {q === "" ? "A lane appears here with the first run of a job, or with its schedule." : undefined}
            </Empty>
          ) : (
            <>
              <Chart
                lanes={live}
                zone={zone}
                onWidth={(width) => {
                  px.current = width;
                  lanes.want(shown.peek(), width, q);
                }}
                onEnd={() => lanes.readMore()}
              />
              <Legend />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

const ITEMS: readonly (readonly [shape: string, tone: string, word: string])[] = [
  ["completed", "completed", "completed"],
  ["failed", "failed", "failed"],
  ["timeout", "timeout", "timed out"],
  ["lost", "lost", "lost"],
  ["hollow", "quiet", "cancelled"],
  ["dashed", "quiet", "nothing to do"],
  ["running", "running", "running"],
  ["skipped", "warn", "tick skipped"],
  ["missed", "failed", "tick missed"],
  ["overdue", "warn", "tick overdue"],
  ["waiting", "warn", "tick waiting"],
  ["next", "quiet", "tick upcoming"],
  ["flag", "quiet", "change"],
];

const Legend = (): VNode => (
  <ul class="legend" aria-label="What the shapes mean">
    {ITEMS.map(([shape, tone, word]) => (
      <li key={word} class="row">
        <svg
          viewBox="0 0 20 16"
          class={shape === tone ? undefined : "outline"}
          style={{ "--tone": `var(--b-${tone})` }}
          data-shape={shape}
          aria-hidden="true"
        >
          <Shape of={shape} />
        </svg>
        {word}
      </li>
    ))}
  </ul>
);

function Shape({ of }: { readonly of: string }): VNode {
  if (of === "skipped") return <path d="M5.5 12 L10 3.5 L14.5 12 Z" />;
  if (of === "missed") return <path d="M10 1.5 a6.5 6.5 0 1 0 .01 0 M7 5 L13 11 M13 5 L7 11" />;
  if (of === "overdue") return <path d="M10 3.5 a4.5 4.5 0 1 0 .01 0 M10 5 V8 L12.5 9" />;
  if (of === "waiting") return <path d="M6 3.5 H14 L6 12.5 H14 Z" />;
  if (of === "flag") return <path d="M7 14 V2 L14 5 L7 8" />;
  if (of === "next") return <circle cx="10" cy="8" r="3.5" />;
  const isTall = !["completed", "hollow", "dashed"].includes(of);
  return (
    <>
      <rect x="1" y={isTall ? 0.5 : 3} width="18" height={isTall ? 15 : 10} rx="3" />
      {of === "lost" && <path class="cut-out" d="M5 0 V16 M10 0 V16 M15 0 V16" />}
      {of === "timeout" && <path class="cut-out" d="M15.5 0 V16" />}
    </>
  );
}
