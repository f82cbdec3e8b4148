import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { TickView } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { tickState } from "../../format/states.js";
import { Section } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Away, Time } from "../../parts/time.js";

/** So many ticks has an answer at most. */
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
    <Section title="Next 24 hours" count={ticks.length >= MOST ? `first ${MOST} ticks` : ticks.length}>
      {ticks.length === 0 ? (
        <Empty title="Nothing is due">No schedule has a tick within a day.</Empty>
      ) : (
        <>
          <Density ticks={ticks} />
          <ul class="rows plain">
            {shown.map(([tick, n]) => (
              <Row key={tick.schedule} tick={tick} more={n - 1} />
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
      {tick.skipped !== undefined && <StateMark state={tickState(tick)} bare />}
      <span class="dim end">
        <Away at={tick.due} />
      </span>
    </li>
  );
}

/** How many ticks there are when, up to the last one that is known. */
function Density({ ticks }: { readonly ticks: readonly TickView[] }): VNode | null {
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
