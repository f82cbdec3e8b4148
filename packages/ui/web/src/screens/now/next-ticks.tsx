import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { Now, TickView } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count } from "../../format/duration.js";
import { tickState } from "../../format/states.js";
import { zoneFor } from "../../format/zone.js";
import { Section } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Due, Time } from "../../parts/time.js";
import { marksOf } from "../timeline/model/axis.js";

/** An answer with this many ticks or more has the first one of each job, and the soonest of the others. */
const MAX_TICKS = 50;

/** How many jobs are shown at first. */
const FIRST_JOBS = 12;

const DAY = 86_400_000;
/** The share of the width that a text of the axis takes, with its distance to the next one. */
const MARGIN = 0.3;

const WIDTH = 480;
const HEIGHT = 32;

/** The coming ticks: a row for each job with its next tick, and how many jobs are due when. */
export function NextTicks({ now: { at, next: ticks, ahead } }: { readonly now: Now }): VNode {
  const all = useSignal(false);
  const jobs = [...byJob(ticks).values()];
  const shown = all.value ? jobs : jobs.slice(0, FIRST_JOBS);
  return (
    <Section title="Next 24 hours" count={count(jobs.length, "job")}>
      {ticks.length === 0 ? (
        <Empty title="Nothing is due">No schedule has a tick within a day.</Empty>
      ) : (
        <>
          <Density from={at} slots={ahead} />
          <ul class="rows plain">
            {shown.map(([tick, n]) => (
              <Row key={tick.schedule} tick={tick} more={ticks.length < MAX_TICKS ? n - 1 : 0} />
            ))}
          </ul>
          {shown.length < jobs.length && (
            <button
              type="button"
              class="button"
              onClick={() => {
                all.value = true;
              }}
            >
              {jobs.length - shown.length} more
            </button>
          )}
        </>
      )}
    </Section>
  );
}

function byJob(ticks: readonly TickView[]): ReadonlyMap<string, readonly [TickView, number]> {
  const jobs = new Map<string, readonly [TickView, number]>();
  for (const tick of ticks) {
    const [first, n] = jobs.get(tick.schedule) ?? [tick, 0];
    jobs.set(tick.schedule, [first, n + 1]);
  }
  return jobs;
}

function Row({ tick, more }: { readonly tick: TickView; readonly more: number }): VNode {
  return (
    <li>
      <span class="when">
        <Time at={tick.due} job={tick.schedule} />
      </span>
      <a class="name cut" href={to.job(tick.schedule)} data-row>
        {tick.schedule}
      </a>
      {more > 0 && <span class="dim nowrap">+{more}</span>}
      {(tick.skipped !== undefined || tick.unattended === true) && (
        <StateMark state={tickState(tick, second.value)} bare />
      )}
      <span class="dim end">
        <Due at={tick.due} job={tick.schedule} />
      </span>
    </li>
  );
}

interface DensityProps {
  readonly from: number;
  readonly slots: readonly number[];
}

/** How many jobs are due in each half hour. */
function Density({ from, slots }: DensityProps): VNode | null {
  const most = Math.max(0, ...slots);
  if (most === 0) return null;
  const width = WIDTH / slots.length;
  const zone = zoneFor(undefined);
  // Midnight, where the day changes; not near "now" and the end, where it would overlap them.
  const midnight = marksOf(from, from + DAY, zone, 4).find(({ isDay }) => isDay);
  const share = midnight === undefined ? 0 : (midnight.at - from) / DAY;
  return (
    <figure class="density">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {slots.map((n, i) => {
          const height = n === 0 ? 1 : Math.max(4, (n / most) * HEIGHT);
          return <rect x={i * width} y={HEIGHT - height} width={width - 2} height={height} data-empty={n === 0} />;
        })}
      </svg>
      <figcaption class="dim">
        <span>now</span>
        {midnight !== undefined && share > MARGIN && share < 1 - MARGIN && (
          <span class="day" style={{ left: `${share * 100}%` }}>
            {midnight.text}
          </span>
        )}
        <Time at={from + DAY} />
      </figcaption>
    </figure>
  );
}
