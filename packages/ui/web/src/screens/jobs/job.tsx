import type { VNode } from "preact";
import { ActButtons } from "../../acts/act-menu.js";
import { offersOf } from "../../acts/offers.js";
import { queryOf } from "../../api/call.js";
import type { Job, JobDetail } from "../../api/types.js";
import { place, to } from "../../app/router.js";
import { durationText, percent } from "../../format/duration.js";
import { problemOf, skippedState, stateOf } from "../../format/states.js";
import { Fact, Facts } from "../../parts/facts.js";
import { RangeField, rangeOf } from "../../parts/lists/range-field.js";
import { Page, Section } from "../../parts/page.js";
import { Loaded } from "../../parts/pictures.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Away, Due, Time } from "../../parts/time.js";
import { RunsTable } from "../runs/runs-table.js";
import { Overdue, streakText, Then } from "./job-row.js";
import { Ticks } from "./ticks.js";
import { useJob } from "./use-job.js";
import { WhySection } from "./why.js";

const WIDTH = 400;
const HEIGHT = 72;
const SLOTS = 20;

interface DurationsProps {
  readonly durations: readonly number[];
  readonly usual: Job["usual"];
}

/** The durations of the last completed runs, with the usual ones. */
export function Durations({ durations, usual }: DurationsProps): VNode | null {
  if (durations.length < 2) return null;
  const top = Math.max(...durations, usual?.p95 ?? 0, 1);
  const y = (ms: number): number => HEIGHT - (ms / top) * HEIGHT;
  const step = WIDTH / SLOTS;
  const from = (SLOTS - Math.min(SLOTS, durations.length)) * step;
  const label = `Durations of the last ${durations.length} runs that completed: ${durations.map(durationText).join(", ")}`;
  return (
    <Section title="Durations" count={`last ${durations.length}`}>
      <figure class="durations">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
          {durations.slice(-SLOTS).map((ms, i) => (
            <rect
              x={from + i * step}
              y={Math.min(y(ms), HEIGHT - 2)}
              width={step - 3}
              height={Math.max(2, HEIGHT - y(ms))}
            >
              <title>{durationText(ms)}</title>
            </rect>
          ))}
          {usual && [usual.p50, usual.p95].map((ms) => <line x1="0" x2={WIDTH} y1={y(ms)} y2={y(ms)} />)}
        </svg>
        <figcaption class="dim">{usual && `p50 ${durationText(usual.p50)}, p95 ${durationText(usual.p95)}`}</figcaption>
      </figure>
    </Section>
  );
}

/** The fields that are a number of ms. */
const SPANS = new Set(["every", "timeout", "jitter", "delay", "within", "maxDelay"]);

/** The definition of the schedule, as it is in the store. */
export function Definition({ of }: { readonly of: JobDetail["definition"] }): VNode | null {
  if (of === undefined) return null;
  return (
    <Section title="Definition">
      <dl class="definition">
        {Object.entries(of).map(([field, value]) => (
          <div key={field}>
            <dt>{field}</dt>
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

function Mark({ job: { running, last, schedule } }: { readonly job: JobDetail }): VNode | null {
  if (running !== undefined) return <StateMark state={stateOf("running")} bare />;
  if (schedule?.paused !== undefined) return <StateMark state={problemOf("paused")} bare />;
  return last === undefined ? null : <RunState status={last.status} bare />;
}

/**
 * When it is due. It comes after the warnings: no process runs it, or decides on its ticks, or they are
 * skipped.
 */
function Next({
  job: { schedule, next, unattended, overdue, skipped, nextRun },
}: {
  readonly job: JobDetail;
}): VNode | null {
  if (schedule?.paused === undefined && unattended !== undefined) {
    return <StateMark state={problemOf("unattended")} />;
  }
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

function Body({ job }: { readonly job: JobDetail }): VNode {
  const { name, schedule, last, lastWell, streak, usual, rate, definition, durations } = job;
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
        <Fact name="Last completed">{lastWell !== undefined && <Away at={lastWell} />}</Fact>
        <Fact name="Streak">{streak !== undefined && streakText(streak)}</Fact>
        <Fact name="Usually takes">{usual && durationText(usual.p50)}</Fact>
        <Fact name="p95">{usual && durationText(usual.p95)}</Fact>
        <Fact name="Success rate">{rate !== undefined && percent(rate)}</Fact>
        <Fact name="Zone">{schedule?.timeZone}</Fact>
      </Facts>
      <div class="split">
        <div>
          <WhySection job={job} />
          <Runs name={name} />
        </div>
        <div>
          <Durations durations={durations} usual={usual} />
          <Ticks job={job} />
          <Definition of={definition} />
        </div>
      </div>
    </>
  );
}
