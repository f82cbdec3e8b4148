import type { VNode } from "preact";
import { ActMenu } from "../../acts/act-menu.js";
import { offersOf } from "../../acts/offers.js";
import type { Job } from "../../api/types.js";
import { to } from "../../app/router.js";
import { count, durationText, percent } from "../../format/duration.js";
import { problemOf, skippedState } from "../../format/states.js";
import { Spark } from "../../parts/spark.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Away, Due, Elapsed, Time } from "../../parts/time.js";

/** A job in the list. */
export function JobRow({ job }: { readonly job: Job }): VNode {
  const { name, schedule, durations, usual, rate, running } = job;
  return (
    <tr>
      <th scope="row" class="main-cell">
        <a class="name" href={to.job(name)} data-row>
          {name}
        </a>
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
        <Spark durations={durations} />
      </td>
      <td class="num" data-label="p50">
        {usual === undefined ? "–" : durationText(usual.p50)}
      </td>
      <td class="num" data-label="p95">
        {usual === undefined ? "–" : durationText(usual.p95)}
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

interface OverdueProps {
  readonly of: NonNullable<Job["overdue"]>;
  readonly job?: string | undefined;
}

/** How many ticks are overdue, and since when. */
export const Overdue = ({ of: { at, count: n }, job }: OverdueProps): VNode => (
  <>
    {count(n, "tick")} overdue, since <Time at={at} job={job} />
  </>
);

/** When it runs next, or why it does not. */
function Next({
  job: { name: job, schedule, next, unattended, overdue, skipped, nextRun, lock },
}: {
  readonly job: Job;
}): VNode {
  if (schedule?.paused !== undefined) return <KeptOff kind="paused" {...schedule.paused} at={nextRun} job={job} />;
  if (unattended !== undefined || overdue !== undefined) {
    return (
      <span class="pair">
        <StateMark state={problemOf(unattended === undefined ? "overdue" : "unattended")} />
        <span class="dim under" title={unattended}>
          {overdue === undefined ? unattended : <Overdue of={overdue} job={job} />}
        </span>
      </span>
    );
  }
  const hold = lock?.hold;
  if (hold !== undefined)
    return (
      <KeptOff
        kind="held"
        by={hold.author}
        reason={hold.reason}
        at={skipped === undefined ? next : nextRun}
        job={job}
      />
    );
  if (next === undefined) return <span class="dim">–</span>;
  if (skipped !== undefined) {
    return (
      <span class="pair">
        <StateMark state={skippedState(skipped)} />
        <span class="dim under">
          <Then at={nextRun} job={job} />
        </span>
      </span>
    );
  }
  return (
    <span class="pair">
      <Due at={next} job={job} />
      <span class="dim under">
        <Time at={next} job={job} />
      </span>
    </span>
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
