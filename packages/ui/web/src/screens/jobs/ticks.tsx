import type { VNode } from "preact";
import type { TickView } from "../../api/types.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count } from "../../format/duration.js";
import { tickState } from "../../format/states.js";
import { Section } from "../../parts/page.js";
import { StateMark } from "../../parts/state.js";
import { Away, Due, Time } from "../../parts/time.js";

/** So many of those to come are shown. */
const TO_COME = 3;

interface TicksProps {
  readonly ticks: readonly TickView[];
  readonly zone: string | undefined;
}

/** When the schedule wants a run, and what became of that; the latest first. */
export function Ticks({ ticks, zone }: TicksProps): VNode | null {
  if (ticks.length === 0) return null;
  const past = ticks.filter(({ outcome }) => outcome !== undefined);
  const shown = [...ticks.filter(({ outcome }) => outcome === undefined).slice(-TO_COME), ...past];
  return (
    <Section title="Ticks">
      <ul class="rows plain ticks">
        {shown.map((tick) => (
          <li key={tick.at} data-future={tick.outcome === undefined}>
            <span class="when">
              <Time at={tick.due} zone={zone} />
            </span>
            {tick.run === undefined ? (
              <StateMark state={tickState(tick, second.value)} />
            ) : (
              <a href={to.run(tick.run)}>
                <StateMark state={tickState(tick, second.value)} />
              </a>
            )}
            <span class="dim said">
              {tick.text}
              {tick.waiting !== undefined && `behind ${count(tick.waiting, "tick")} that wait`}
              {tick.count !== undefined && tick.count > 1 && ` (${count(tick.count, "tick")})`}
            </span>
            <span class="dim end">
              {tick.outcome === undefined ? <Due at={tick.due} zone={zone} /> : <Away at={tick.due} zone={zone} />}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
