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
import { Empty, Failure, Skeleton } from "../../parts/pictures.js";
import { Chart } from "./chart.js";
import { Legend } from "./legend.js";
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
  const error = lanes.error.value;
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
      {loaded === undefined && (error === undefined ? <Skeleton rows={14} /> : <Failure error={error} />)}
      {loaded !== undefined && loaded.length === 0 && (
        <Empty title={q === "" ? "No job ran, and none is due" : `No job matches “${q}”`}>
          {q === "" ? "A lane appears here with the first run of a job, or with its schedule." : undefined}
        </Empty>
      )}
      {loaded !== undefined && loaded.length > 0 && (
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
      )}
    </Page>
  );
}
