import type { VNode } from "preact";
import { ActMenu } from "../../acts/act-menu.js";
import { actsOf } from "../../acts/acts.js";
import type { Job } from "../../api/types.js";
import { to } from "../../app/router.js";
import { count, duration, percent } from "../../format/duration.js";
import { problemOf } from "../../format/states.js";
import { Spark } from "../../parts/spark.js";
import { RunState, StateMark } from "../../parts/state.js";
import { Away, Due, Time } from "../../parts/time.js";

/** A job in the list. */
export function JobRow({ job }: { readonly job: Job }): VNode {
  const { name, schedule, durations, p50, p95, rate, running } = job;
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
        {p50 === undefined ? "–" : duration(p50)}
      </td>
      <td class="num" data-label="p95">
        {p95 === undefined ? "–" : duration(p95)}
      </td>
      <td class="num" data-label="Well">
        {rate === undefined ? "–" : percent(rate)}
      </td>
      <td class="num acts-cell">
        <ActMenu acts={actsOf(job)} target={{ name, run: running }} />
      </td>
    </tr>
  );
}

/** `3 well`, `2 in error`. */
export const streakText = (streak: number): string => `${Math.abs(streak)} ${streak > 0 ? "well" : "in error"}`;

/** How the last run ended, and how many in a row did so. */
function Last({ job: { last, running, streak, schedule } }: { readonly job: Job }): VNode {
  if (last === undefined) return <span class="dim">never</span>;
  return (
    <a href={to.run(running ?? last.id)} class="pair">
      <RunState status={running === undefined ? last.status : "running"} />
      <span class="dim under">
        <Away at={last.startTime} zone={schedule?.zone} />
        {running === undefined && streak !== undefined && Math.abs(streak) > 1 && ` · ${streakText(streak)} in a row`}
      </span>
    </a>
  );
}

interface OverdueProps {
  readonly of: NonNullable<Job["overdue"]>;
  readonly zone: string | undefined;
}

/** How many ticks are overdue, since when. */
export const Overdue = ({ of: { at, count: n }, zone }: OverdueProps): VNode => (
  <>
    {count(n, "tick")} overdue, since <Time at={at} zone={zone} />
  </>
);

/** When it runs next, or why it does not. */
function Next({ job: { schedule, next, nobody, held, overdue } }: { readonly job: Job }): VNode {
  if (schedule?.paused !== undefined) {
    return (
      <span class="pair">
        <StateMark state={problemOf("paused")} />
        <span class="dim under cut" title={schedule.paused.reason}>
          by {schedule.paused.by}: {schedule.paused.reason}
        </span>
      </span>
    );
  }
  if (nobody !== undefined || overdue !== undefined) {
    return (
      <span class="pair">
        <StateMark state={problemOf(nobody === undefined ? "overdue" : "nobody")} />
        <span class="dim under" title={nobody}>
          {overdue === undefined ? nobody : <Overdue of={overdue} zone={schedule?.zone} />}
        </span>
      </span>
    );
  }
  if (next === undefined) return <span class="dim">–</span>;
  return (
    <span class="pair">
      {held === true ? <StateMark state={problemOf("held")} /> : <Due at={next} zone={schedule?.zone} />}
      <span class="dim under">
        {held === true && "skips "}
        <Time at={next} zone={schedule?.zone} />
      </span>
    </span>
  );
}
