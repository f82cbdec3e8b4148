import type { VNode } from "preact";
import { ActButtons } from "../../acts/act-menu.js";
import { offersOf } from "../../acts/acts.js";
import { queryOf } from "../../api/call.js";
import { useResource } from "../../api/resource.js";
import type { JobDetail } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count, durationText, percent } from "../../format/duration.js";
import { problemOf, skippedState, stateOf, tickState } from "../../format/states.js";
import { Fact, Facts, RunLink } from "../../parts/facts.js";
import { RangeField, type RangeQuery, rangeOf } from "../../parts/lists/range-field.js";
import { Page, Section } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Away, Due, Time } from "../../parts/time.js";
import { RunsTable } from "../runs/runs.js";
import { Course } from "./course.js";
import { Overdue, streakText, Then } from "./jobs.js";
import { useJob, WhySection } from "./why.js";

interface JobProps {
  readonly job: JobDetail;
}

/** The fields that are a number of ms. */
const SPANS = new Set(["every", "timeout", "jitter", "delay", "within", "maxDelay", "keep"]);

/** The definition of a schedule or a queue, as it is in the store. */
export function Definition({ of: definition }: { readonly of: JobDetail["definition"] }): VNode | null {
  if (definition === undefined) return null;
  return (
    <Section title="Definition">
      <dl class="definition">
        {Object.entries(definition).map(([field, value]) => (
          <div key={field}>
            <dt class="dim">{field}</dt>
            <dd class="mono">{said(field, value)}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

/** A value in a readable form: `attempts 3, delay 4 min`. `meta` belongs to the caller and stays as JSON. */
function said(field: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && SPANS.has(field)) return durationText(value);
  if (field === "meta" || typeof value !== "object" || value === null || Array.isArray(value))
    return JSON.stringify(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${said(name, inner)}`)
    .join(", ");
}

/** A job: why it does not run, its history, and when it runs. */
export function JobScreen({ name }: { readonly name: string }): VNode {
  const job = useJob(name);
  const detail = job.data.value;
  const end = detail && (
    <ActButtons offers={offersOf(detail)} target={{ name, run: detail.running, hold: detail.lock?.hold }} />
  );
  return (
    <Page title={name} before={detail && <Mark job={detail} />} said={detail?.schedule?.words} end={end}>
      <Loaded of={job} rows={10}>
        {(loaded) => <Body job={loaded} />}
      </Loaded>
    </Page>
  );
}

function Mark({ job: { running, last, schedule } }: JobProps): VNode | null {
  if (running !== undefined) return <StateMark state={stateOf("running")} bare />;
  if (schedule?.paused !== undefined) return <StateMark state={problemOf("paused")} bare />;
  return last === undefined ? null : <RunState status={last.status} bare />;
}

/** When it is due. Warnings come first: no process runs it or decides on its ticks, or they are skipped. */
function Next({ job: { schedule, next, unattended, overdue, skipped, nextRun } }: JobProps): VNode | null {
  if (schedule?.paused === undefined && unattended !== undefined) return <StateMark state={problemOf("unattended")} />;
  if (skipped !== undefined) {
    return (
      <>
        <StateMark state={skippedState(skipped)} /> <Then at={nextRun} />
      </>
    );
  }
  if (overdue !== undefined) return <Overdue of={overdue} />;
  if (next === undefined) return null;
  return (
    <>
      <Due at={next} /> <span class="dim">· </span>
      <Time at={next} />
    </>
  );
}

/** Its last runs, or those in the range of the address. */
function Runs({ name }: { readonly name: string }): VNode {
  const range = rangeOf(place.value);
  return (
    <Section
      title="Runs"
      end={
        <>
          <a class="link" href={to.timeline(queryOf({ q: name, ...range }))}>
            On the timeline
          </a>
          <span aria-hidden="true">·</span>
          <a class="link" href={to.runs(queryOf({ name, ...range }))}>
            All runs
          </a>
        </>
      }
    >
      <RangeField clears />
      <RunsTable query={{ name, ...range, limit: 20 }} names={[name]} bare />
    </Section>
  );
}

function Body({ job }: JobProps): VNode {
  const { name, schedule, last, lastWell, streak, usual, rate } = job;
  return (
    <>
      <Facts>
        <Fact name="Next">{schedule !== undefined && <Next job={job} />}</Fact>
        <Fact name="Last ended">
          {last !== undefined && (
            <a class="link" href={to.run(last.id)}>
              <Away at={last.endTime ?? last.startTime} />
            </a>
          )}
        </Fact>
        <Fact name="Last success">{lastWell !== undefined && <Away at={lastWell} />}</Fact>
        <Fact name="Streak">{streak !== undefined && streakText(streak)}</Fact>
        <Fact name="Usually takes">{usual && durationText(usual.p50)}</Fact>
        <Fact name="p95">{usual && durationText(usual.p95)}</Fact>
        <Fact name="Success rate">{rate !== undefined && percent(rate)}</Fact>
        <Fact name="Time zone">{schedule?.timeZone}</Fact>
      </Facts>
      <div class="split">
        <div>
          <WhySection job={job} />
          <Runs name={name} />
        </div>
        <div>
          <Course job={job} />
          <Ticks job={job} />
          <Definition of={job.definition} />
        </div>
      </div>
    </>
  );
}

/** How many coming ticks are shown. */
const COMING_TICKS = 3;

/** An answer with this many ticks of a range may be incomplete. */
const MAX_TICKS = 100;

/** The coming ticks, the next one first, then those of the past, or those in the range of the address. */
function Ticks({ job }: JobProps): VNode | null {
  const range = rangeOf(place.value);
  if (range.from !== undefined || range.to !== undefined) {
    return job.schedule === undefined ? null : <OfRange job={job} range={range} />;
  }
  if (job.ticks.length === 0) return null;
  const coming = job.ticks.filter(({ outcome }) => outcome === undefined);
  const past = job.ticks.filter(({ outcome }) => outcome !== undefined);
  return (
    <Section title="Ticks">
      <List ticks={[...coming.slice(0, COMING_TICKS), ...past]} />
    </Section>
  );
}

/** Read separately from the job: the page must stay while other ticks are read. */
function OfRange({ job: { name }, range }: JobProps & { readonly range: RangeQuery }): VNode {
  const path = `jobs/${encodeURIComponent(name)}${queryOf({ ...range })}`;
  const timeline = (
    <a class="link" href={to.timeline(queryOf({ q: name, ...range }))}>
      Show this time on the timeline
    </a>
  );
  return (
    <Section title="Ticks">
      <Loaded of={useResource<JobDetail>(path, { names: [name] })} rows={4}>
        {({ ticks }) => (
          <>
            {ticks.length === 0 && <Empty title="No ticks are stored for this time">{timeline}</Empty>}
            <List ticks={ticks} />
            {ticks.length >= MAX_TICKS && <p class="dim">There may be more. {timeline}.</p>}
          </>
        )}
      </Loaded>
    </Section>
  );
}

const List = ({ ticks }: Pick<JobDetail, "ticks">): VNode => (
  <ul class="rows plain ticks">
    {ticks.map((tick) => (
      <li key={tick.at} data-future={tick.outcome === undefined}>
        <span class="when">
          <Time at={tick.due} />
        </span>
        <RunLink run={tick.run} row>
          <StateMark state={tickState(tick, second.value)} />
        </RunLink>
        <span class="dim said">
          {tick.text !== undefined && <Prose text={tick.text} run={tick.other} />}
          {tick.waiting !== undefined && `behind ${count(tick.waiting, "waiting tick")}`}
          {tick.count !== undefined && tick.count > 1 && ` (${count(tick.count, "tick")})`}
        </span>
        <span class="dim end">{tick.outcome === undefined ? <Due at={tick.due} /> : <Away at={tick.due} />}</span>
      </li>
    ))}
  </ul>
);
