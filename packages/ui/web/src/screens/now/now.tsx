import type { VNode } from "preact";
import { ApiError } from "../../api/call.js";
import { count } from "../../format/duration.js";
import { now, nowError, running } from "../../live/live.js";
import { Page } from "../../parts/page.js";
import { Failure, Skeleton } from "../../parts/pictures.js";
import { EmptyStore } from "./empty-store.js";
import { NextTicks } from "./next-ticks.js";
import { Problems } from "./problems.js";
import { Retries } from "./retries.js";
import { RunningList } from "./running-list.js";
import { Waiting } from "./waiting.js";

/** What is wrong, what runs, who waits, and what comes. */
export function NowScreen(): VNode {
  const shown = now.value;
  const error = nowError.value;
  if (shown === undefined) {
    return <Page title="Now">{error instanceof ApiError ? <Failure error={error} /> : <Skeleton rows={9} />}</Page>;
  }
  // A run that has just begun is in the stream before it is in the answer.
  if (shown.empty && !running.value?.size) {
    return (
      <Page title="Now">
        <EmptyStore />
      </Page>
    );
  }
  const runs = [...(running.value ?? new Map()).values()].sort((a, b) => a.startTime - b.startTime);
  const { problems, waiting, retries, schedulers, truncated } = shown;
  const said = [
    problems.length === 0 ? "nothing is wrong" : count(problems.length, "problem"),
    `${runs.length} running`,
    count(schedulers, "scheduler"),
  ];
  return (
    <Page title="Now" said={said.join(" · ")}>
      <div class="now">
        <div>
          <Problems problems={problems} />
          <RunningList runs={runs} />
          <Waiting waiting={waiting} />
          <Retries retries={retries} />
        </div>
        <div>
          <NextTicks now={shown} />
        </div>
      </div>
      {truncated && <p class="dim">There is more than is shown here: see the pages of jobs, runs and locks.</p>}
    </Page>
  );
}
