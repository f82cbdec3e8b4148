import type { VNode } from "preact";
import { ActButtons } from "../../acts/act-menu.js";
import { allowed, offer } from "../../acts/offers.js";
import { ApiError } from "../../api/call.js";
import type { Now } from "../../api/types.js";
import { me } from "../../app/me.js";
import { to } from "../../app/router.js";
import { count } from "../../format/duration.js";
import { problemOf } from "../../format/states.js";
import { now, nowError, running } from "../../live/live.js";
import { RunLink } from "../../parts/lists/run-link.js";
import { Waiters } from "../../parts/lists/waiters.js";
import { Page, Section } from "../../parts/page.js";
import { Failure, Skeleton } from "../../parts/pictures.js";
import { StateMark } from "../../parts/state.js";
import { Due } from "../../parts/time.js";
import { NextTicks } from "./next-ticks.js";
import { Problems } from "./problems.js";
import { RunningList } from "./running-list.js";

/**
 * Three lines that create a first job: in a shell if the command line can reach the store, otherwise in a
 * program.
 */
function linesFor(address: string | undefined): readonly string[] {
  if (address === undefined)
    return [
      'import { openScheduler } from "@ojm/schedule";',
      "const scheduler = openScheduler(manager);",
      'await scheduler.add("hello", { every: 60_000 }, ({ log }) => log.info("it works"));',
    ];
  return [
    `export OJM_STORE='${address.replaceAll("'", "'\\''")}'`,
    'ojm exec hello -- echo "it works"',
    "ojm runs hello",
  ];
}

/** The page Now for an empty store: the user may have meant another one. */
export function EmptyStore(): VNode | null {
  if (me.value === undefined) return null;
  const { store, address } = me.value;
  return (
    <Section title="This store is empty">
      <div class="empty">
        <p>
          <code>{address ?? store}</code> has no run and no schedule, and no process runs schedules in it.
        </p>
        <p>
          {address === undefined
            ? "Create a first job, in the program that has the manager of this store, which is named manager here:"
            : `Create a first job, in a shell${address.includes("***") ? ", with the password of the store for ***" : ""}:`}
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
        <pre tabIndex={0}>{linesFor(address).join("\n")}</pre>
      </div>
    </Section>
  );
}

/** The jobs whose locks have waiters. */
export function Waiting({ waiting }: Pick<Now, "waiting">): VNode | null {
  if (waiting.length === 0) return null;
  return (
    <Section title="Waiting for a lock" count={waiting.length}>
      <ul class="rows plain">
        {waiting.map(({ name, waiting: n, waiters }) => (
          <li key={name}>
            <div class="what">
              <a class="name cut" href={to.job(name)} data-row>
                {name}
              </a>
              <Waiters waiters={waiters} n={n} />
            </div>
            <span class="dim nowrap">{count(n, "run")}</span>
            <a class="link end" href={to.why(name)} aria-label={`Why ${name} does not run`}>
              Why
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The jobs that failed and wait for a retry: they are not running, and their lock may be free. */
export function Retries({ retries }: Pick<Now, "retries">): VNode | null {
  if (retries.length === 0) return null;
  const offers = allowed([offer("cancel")]);
  return (
    <Section title="Waiting for a retry" count={retries.length}>
      <ul class="rows plain">
        {retries.map(({ name, chain, attempt, attempts, due, error, orphaned }) => (
          <li key={chain}>
            <div class="retry" title={error}>
              <a class="name" href={to.job(name)} data-row>
                {name}
              </a>
              <span class="dim under">
                <RunLink run={chain}>
                  attempt {attempt} of {attempts}
                </RunLink>
                , {orphaned ? <StateMark state={problemOf("orphaned-retry")} /> : <Due at={due} job={name} />}
              </span>
            </div>
            <span class="end">
              <ActButtons offers={offers} target={{ name, run: chain, attempt }} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The problems, the running runs, the waiters, and the coming ticks. */
export function NowScreen(): VNode {
  const shown = now.value;
  const error = nowError.value;
  if (shown === undefined) {
    return <Page title="Now">{error instanceof ApiError ? <Failure error={error} /> : <Skeleton rows={9} />}</Page>;
  }
  // A run that has just started is in the stream before it is in the answer.
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
