import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { TickView } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count } from "../../format/duration.js";
import { tickState } from "../../format/states.js";
import { Section } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Due, Time } from "../../parts/time.js";

/** An answer with so many ticks or more has the first one of each job, and the soonest of the others. */
const MOST = 50;

/** So many jobs are shown at first. */
const FEW = 12;

const SLOTS = 48;
const WIDTH = 480;
const HEIGHT = 32;

/** What is due: a row a job, with its next tick, and when how much is due. */
export function NextTicks({ ticks }: { readonly ticks: readonly TickView[] }): VNode {
  const all = useSignal(false);
  const jobs = [...byJob(ticks).values()];
  const shown = all.value ? jobs : jobs.slice(0, FEW);
  return (
    <Section title="Next 24 hours" count={count(jobs.length, "job")}>
      {ticks.length === 0 ? (
        <Empty title="Nothing is due">No schedule has a tick within a day.</Empty>
      ) : (
        <>
          <Density ticks={ticks} />
          <ul class="rows plain">
            {shown.map(([tick, n]) => (
              <Row key={tick.schedule} tick={tick} more={ticks.length < MOST ? n - 1 : 0} />
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
        <Time at={tick.due} />
      </span>
      <a class="name cut" href={to.job(tick.schedule)} data-row>
        {tick.schedule}
      </a>
      {more > 0 && <span class="dim nowrap">+{more}</span>}
      {(tick.skipped !== undefined || tick.nobody === true) && <StateMark state={tickState(tick, second.value)} bare />}
      <span class="dim end">
        <Due at={tick.due} />
      </span>
    </li>
  );
}

/** The ticks up to the time up to which all are known. */
function knownOf(ticks: readonly TickView[]): readonly TickView[] {
  if (ticks.length < MOST) return ticks;
  const seen = new Set<string>();
  let end = 0;
  for (const { schedule, due } of ticks) {
    if (seen.has(schedule)) end = due;
    seen.add(schedule);
  }
  return ticks.filter(({ due }) => due <= end);
}

/** How many ticks there are when, up to the last one that is known. */
function Density({ ticks: all }: { readonly ticks: readonly TickView[] }): VNode | null {
  const ticks = knownOf(all);
  const from = second.value;
  const last = ticks.at(-1)?.due ?? from;
  if (ticks.length < 4 || last <= from) return null;
  const slots = Array.from({ length: SLOTS }, () => 0);
  for (const { due } of ticks) {
    const slot = Math.min(SLOTS - 1, Math.max(0, Math.floor(((due - from) / (last - from)) * SLOTS)));
    slots[slot] = (slots[slot] ?? 0) + 1;
  }
  const most = Math.max(...slots);
  const width = WIDTH / SLOTS;
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
        <Time at={last} />
      </figcaption>
    </figure>
  );
}
