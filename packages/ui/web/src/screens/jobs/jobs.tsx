import type { ComponentChildren, VNode } from "preact";
import { ActButtons, ActMenu } from "../../acts/act-menu.js";
import { ACTS, allowed, ask, offer, offersOf } from "../../acts/acts.js";
import { Choose, type ManyAct, ManyActs, readAll, selection } from "../../acts/many.js";
import { queryOf, read } from "../../api/call.js";
import type { Job, Jobs } from "../../api/types.js";
import { may } from "../../app/me.js";
import { place, to } from "../../app/router.js";
import { count, durationText, percent } from "../../format/duration.js";
import { problemOf, skippedState, stateOf } from "../../format/states.js";
import { JobLink } from "../../parts/facts.js";
import { StatesFilter } from "../../parts/lists/filters.js";
import { FindField } from "../../parts/lists/find.js";
import { Paged } from "../../parts/lists/paged.js";
import { numeric, Page } from "../../parts/page.js";
import { Empty } from "../../parts/pictures.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Away, Due, Elapsed, Time } from "../../parts/time.js";
import { Strip, TrendHead, TrendMark } from "./trend.js";

const LIMIT = 100;

/** How often the jobs are read again, in ms: no event reports a trend. */
const REFRESH = 60_000;

const HEADS: readonly (string | VNode)[] = [
  "Job",
  <th scope="col" title="How long it has been running, or when its last run ended">
    Last
  </th>,
  "Next",
  numeric("Last 30"),
  numeric("p50"),
  numeric("p95"),
  <TrendHead />,
  numeric("Success rate", "Of the last 50 attempts. Each attempt of a run counts"),
];

/** All jobs: when they run next, how they last ended, and their statistics. */
export function JobsScreen(): VNode {
  const { query: asked } = place.value;
  const [q, sort] = [asked.get("q") ?? "", asked.get("sort") ?? undefined];
  const [state, host] = [asked.get("state") ?? undefined, asked.get("host") ?? undefined];
  const path = (after: string | undefined): string => `jobs${queryOf({ limit: LIMIT, after, q, state, host, sort })}`;
  const next = ({ jobs, more }: Jobs): string | undefined => (more ? jobs.at(-1)?.name : undefined);
  const all = (): Promise<string[]> =>
    readAll(async (after) => {
      const page = await read<Jobs>(path(after));
      return { items: page.jobs.map(({ name }) => name), next: next(page) };
    }, MOST);
  return (
    <Page
      title="Jobs"
      end={
        <>
          <ActButtons offers={allowed([offer("maintenance")])} target={{ name: "*" }} />
          <FindField label="Find a job" />
        </>
      }
    >
      <fieldset class="chips filters" aria-label="Only jobs that are">
        <StatesFilter param="state" states={STATES} />
        <FindField label="Host" param="host" />
      </fieldset>
      {may("pause") && (
        <ManyActs of={chosen} acts={MANY} filter={queryOf({ q, state, host })} all={all} idOf={(name) => name} />
      )}
      <Paged<Jobs, Job>
        path={path}
        next={next}
        items={({ jobs }) => jobs}
        options={{ every: REFRESH }}
        said={({ found, total }) => (found < total ? `${found} of ${count(total, "job")}` : count(total, "job"))}
        row={(job) => <Row key={job.name} job={job} />}
        table={{ class: "grid cards jobs", heads: HEADS, acts: true }}
        empty={() =>
          state !== undefined || host !== undefined ? (
            <Empty title={state === undefined ? `No job ran on a host “${host}”` : "No job is in this state"} />
          ) : q === "" ? (
            <Empty title="No jobs yet">
              A job appears here with its first run, or when a process adds its schedule.
            </Empty>
          ) : (
            <Empty title={`No job matches “${q}”`} />
          )
        }
      />
    </Page>
  );
}

/** The states that the list can be narrowed to. */
const STATES = [
  ["failing", { ...problemOf("failed"), word: "Failing" }],
  ["running", stateOf("running")],
  ["slow", { ...problemOf("long"), word: "Slow" }],
  ["paused", problemOf("paused")],
  ["held", problemOf("held")],
] as const;

/** The jobs that the user has chosen. */
const chosen = selection<string>();

/** The actions on several jobs. */
const MANY: readonly ManyAct<string>[] = (
  [
    ["run-now", "Run now"],
    ["pause", "Pause"],
    ["resume", "Resume"],
    ["hold", "Hold"],
    ["end-hold", "End hold"],
    ["cancel", "Cancel"],
  ] as const
).map(([act, label]) => ({
  ...{ label, icon: ACTS[act].icon },
  take: (names) => {
    if (names.length === 0) return "the list has no jobs: there is nothing to do";
    ask(act, { name: count(names.length, "job"), names: names.toSorted() });
    return undefined;
  },
}));

/** The most jobs that one action takes on. */
const MOST = 2_000;

function Row({ job }: { readonly job: Job }): VNode {
  const { name, schedule, outcomes, usual, rate, running, trend } = job;
  return (
    <tr>
      <th scope="row" class="main-cell">
        {may("pause") && <Choose of={chosen} id={name} item={name} label={name} />}
        <JobLink name={name} />
        <span class="dim under cut" title={schedule?.words}>
          {schedule?.words ?? "no schedule"}
        </span>
      </th>
      <td data-label="Last">
        <Last job={job} />
      </td>
      <td data-label="Next">
        <Next job={job} />
      </td>
      <td class="wide-only">
        <Strip outcomes={outcomes} />
      </td>
      <td class="num" data-label="p50">
        {usual === undefined ? "–" : durationText(usual.p50)}
      </td>
      <td class="num" data-label="p95">
        {usual === undefined ? "–" : durationText(usual.p95)}
      </td>
      <td class="num" data-label="Trend">
        {trend === undefined ? "–" : <TrendMark trend={trend} />}
      </td>
      <td class="num" data-label="Success rate">
        {rate === undefined ? "–" : percent(rate)}
      </td>
      <td class="num acts-cell">
        <ActMenu offers={offersOf(job)} target={{ name, run: running, hold: job.lock?.hold }} />
      </td>
    </tr>
  );
}

/** The number of attempts that a streak covers. */
const MAX_STREAK = 50;

/** `Failed 6 times in a row`, `Completed 50+ times in a row`: a run with several attempts counts once. */
export function streakText(streak: number): string {
  const n = Math.abs(streak);
  const times = n === 1 ? "once" : `${n}${n >= MAX_STREAK ? "+" : ""} times in a row`;
  return `${streak > 0 ? "Completed" : "Failed"} ${times}`;
}

/** How long it has been running; otherwise how and when the last run ended, and how many in a row failed. */
function Last({ job: { name, last, running, runningSince, streak } }: { readonly job: Job }): VNode {
  if (running !== undefined && runningSince !== undefined) {
    return (
      <a href={to.run(running)} class="pair to-run">
        <RunState status="running" />{" "}
        <span class="dim under">
          for <Elapsed since={runningSince} />
        </span>
      </a>
    );
  }
  if (last === undefined) return <span class="dim">never</span>;
  return (
    <a href={to.run(last.id)} class="pair to-run">
      <RunState status={last.status} />{" "}
      <span class="dim under">
        <Away at={last.endTime ?? last.startTime} job={name} />
        {streak !== undefined && streak < -1 && ` · ${streakText(streak)}`}
      </span>
    </a>
  );
}

/** How many ticks are overdue, and since when. */
export const Overdue = ({ of: { at, count: n }, job }: { of: NonNullable<Job["overdue"]>; job?: string }): VNode => (
  <>
    {count(n, "tick")} overdue, since <Time at={at} job={job} />
  </>
);

interface PairProps {
  readonly first: VNode;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

/** The two lines of a cell. */
const Pair = ({ first, title, children }: PairProps): VNode => (
  <span class="pair">
    {first}
    <span class="dim under" title={title}>
      {children}
    </span>
  </span>
);

/** When it runs next, or why it does not. */
function Next({ job }: { readonly job: Job }): VNode {
  const { name, schedule, next, unattended, overdue, skipped, nextRun, lock } = job;
  if (schedule?.paused !== undefined) return <KeptOff kind="paused" {...schedule.paused} at={nextRun} job={name} />;
  if (unattended !== undefined || overdue !== undefined) {
    const state = problemOf(unattended === undefined ? "overdue" : "unattended");
    return (
      <Pair first={<StateMark state={state} />} title={unattended}>
        {overdue === undefined ? unattended : <Overdue of={overdue} job={name} />}
      </Pair>
    );
  }
  const hold = lock?.hold;
  if (hold !== undefined) {
    const at = skipped === undefined ? next : nextRun;
    return <KeptOff kind="held" by={hold.author} reason={hold.reason} at={at} job={name} />;
  }
  if (next === undefined) return <span class="dim">–</span>;
  return (
    <Pair first={skipped === undefined ? <Due at={next} job={name} /> : <StateMark state={skippedState(skipped)} />}>
      {skipped === undefined ? <Time at={next} job={name} /> : <Then at={nextRun} job={name} />}
    </Pair>
  );
}

interface KeptOffProps extends ThenProps {
  readonly kind: "paused" | "held";
  readonly by: string | undefined;
  readonly reason: string;
}

/** A job that a user keeps from running: who, why, and when it runs next. */
function KeptOff({ kind, by, reason, at, job }: KeptOffProps): VNode {
  return (
    <span class="pair">
      <StateMark state={problemOf(kind)} />
      <span class="dim under cut" title={reason}>
        <Then at={at} job={job} />
        {at !== undefined && " · "}
        {by !== undefined && `by ${by}: `}
        {reason}
      </span>
    </span>
  );
}

interface ThenProps {
  readonly at: number | undefined;
  readonly job?: string | undefined;
}

/** When a job runs whose next tick will be skipped; nothing if that is not known. */
export const Then = ({ at, job }: ThenProps): VNode | null =>
  at === undefined ? null : (
    <span class="nowrap">
      runs <Time at={at} job={job} />
    </span>
  );
