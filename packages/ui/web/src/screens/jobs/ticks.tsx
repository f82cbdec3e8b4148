import type { VNode } from "preact";
import { queryOf } from "../../api/call.js";
import { useResource } from "../../api/resource.js";
import type { JobDetail, TickView } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count } from "../../format/duration.js";
import { tickState } from "../../format/states.js";
import { type RangeQuery, rangeOf } from "../../parts/lists/range-field.js";
import { Section } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { StateMark } from "../../parts/state.js";
import { Away, Due, Time } from "../../parts/time.js";

/** How many coming ticks are shown. */
const COMING_TICKS = 3;

/** An answer with this many ticks of a range may be incomplete. */
const MAX_TICKS = 100;

/** The coming ticks and the outcomes of past ones, the latest first, or those in the range of the address. */
export function Ticks({ job }: { readonly job: JobDetail }): VNode | null {
  const range = rangeOf(place.value);
  if (range.from !== undefined || range.to !== undefined) {
    return job.schedule === undefined ? null : <OfRange job={job} range={range} />;
  }
  if (job.ticks.length === 0) return null;
  const ticks = job.ticks;
  const past = ticks.filter(({ outcome }) => outcome !== undefined);
  const shown = [...ticks.filter(({ outcome }) => outcome === undefined).slice(-COMING_TICKS), ...past];
  return (
    <Section title="Ticks">
      <List ticks={shown} />
    </Section>
  );
}

/** Read separately from the job: the page must stay while other ticks are read. */
function OfRange({ job: { name }, range }: { readonly job: JobDetail; readonly range: RangeQuery }): VNode {
  const path = `jobs/${encodeURIComponent(name)}${queryOf({ ...range })}`;
  const timeline = (
    <a class="link" href={to.timeline(queryOf({ q: name, ...range }))}>
      See this time on the timeline
    </a>
  );
  return (
    <Section title="Ticks">
      <Loaded of={useResource<JobDetail>(path, { names: [name] })} rows={4}>
        {({ ticks }) => (
          <>
            {ticks.length === 0 && <Empty title="No tick of this time is stored">{timeline}</Empty>}
            <List ticks={ticks} />
            {ticks.length >= MAX_TICKS && <p class="dim">There may be more. {timeline}.</p>}
          </>
        )}
      </Loaded>
    </Section>
  );
}

interface ListProps {
  readonly ticks: readonly TickView[];
}

const List = ({ ticks }: ListProps): VNode => (
  <ul class="rows plain ticks">
    {ticks.map((tick) => (
      <li key={tick.at} data-future={tick.outcome === undefined}>
        <span class="when">
          <Time at={tick.due} />
        </span>
        {tick.run === undefined ? (
          <StateMark state={tickState(tick, second.value)} />
        ) : (
          <a class="to-run" href={to.run(tick.run)} data-row>
            <StateMark state={tickState(tick, second.value)} />
          </a>
        )}
        <span class="dim said">
          {tick.text !== undefined && <Prose text={tick.text} run={tick.other} />}
          {tick.waiting !== undefined && `behind ${count(tick.waiting, "tick")} that wait`}
          {tick.count !== undefined && tick.count > 1 && ` (${count(tick.count, "tick")})`}
        </span>
        <span class="dim end">{tick.outcome === undefined ? <Due at={tick.due} /> : <Away at={tick.due} />}</span>
      </li>
    ))}
  </ul>
);
