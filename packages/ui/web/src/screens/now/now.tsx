import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { ActButtons, ActMenu } from "../../acts/act-menu.js";
import { allowed, offer, offersOfRun, type Target } from "../../acts/acts.js";
import type { Now, Problem, Running, TickView } from "../../api/types.js";
import { me } from "../../app/me.js";
import { to } from "../../app/router.js";
import { second } from "../../format/clock.js";
import { count, durationText, elapsedText, percent, progressText, shareOf } from "../../format/duration.js";
import { problemOf, tickState } from "../../format/states.js";
import { inZone } from "../../format/times.js";
import { zoneFor } from "../../format/zone.js";
import { now, nowError, running } from "../../live/live.js";
import { Holder, JobLink, processText, RunLink, Waiters, whoText } from "../../parts/facts.js";
import { Page, Section } from "../../parts/page.js";
import { Empty, Failure, Skeleton } from "../../parts/pictures.js";
import { WithTimes } from "../../parts/prose.js";
import { RunState, StateMark } from "../../parts/state.js";
import { type Placed, useInPlace } from "../../parts/steady/rows.js";
import { Away, Due, Elapsed, Time } from "../../parts/time.js";
import { marksOf } from "../timeline/model/axis.js";

/** Three lines that create a first job: in a shell if the command line reaches the store, or in a program. */
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
function EmptyStore(): VNode | null {
  if (me.value === undefined) return null;
  const { store, address } = me.value;
  return (
    <Section title="This store is empty">
      <div class="empty">
        <p>
          <code>{address ?? store}</code> has no runs and no schedules, and no process runs schedules in it.
        </p>
        <p>
          {address === undefined
            ? "Create a first job in the program that opens this store. Its manager is called manager here:"
            : `Create a first job in a shell${address.includes("***") ? ". Replace *** with the password of the store" : ""}:`}
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it only if it can have the focus. */}
        <pre tabIndex={0}>{linesFor(address).join("\n")}</pre>
      </div>
    </Section>
  );
}

function Waiting({ waiting }: Pick<Now, "waiting">): VNode | null {
  if (waiting.length === 0) return null;
  return (
    <Section title="Waiting for a lock" count={waiting.length}>
      <ul class="rows plain">
        {waiting.map(({ name, waiting: n, waiters }) => (
          <li key={name}>
            <div class="what">
              <JobLink name={name} cut />
              <Waiters waiters={waiters} n={n} />
            </div>
            <span class="dim nowrap">{count(n, "run")}</span>
            <a class="link end" href={to.why(name)} aria-label={`Why ${name} is not running`}>
              Why
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The jobs that failed and wait for a retry: they are not running, and their lock may be free. */
function Retries({ retries }: Pick<Now, "retries">): VNode | null {
  if (retries.length === 0) return null;
  const offers = allowed([offer("cancel")]);
  return (
    <Section title="Waiting for a retry" count={retries.length}>
      <ul class="rows plain">
        {retries.map(({ name, chain, attempt, attempts, due, error, orphaned }) => (
          <li key={chain}>
            <div class="retry" title={error}>
              <JobLink name={name} />
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
    return <Page title="Now">{error ? <Failure error={error} /> : <Skeleton rows={9} />}</Page>;
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
    problems.length === 0 ? "no problems" : count(problems.length, "problem"),
    `${runs.length} running`,
    count(schedulers, "scheduler"),
  ];
  return (
    <Page
      title="Now"
      said={said.join(" · ")}
      end={<ActButtons offers={allowed([offer("maintenance")])} target={{ name: "*" }} />}
    >
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
      {truncated && <p class="dim">Not everything is shown here: see Jobs, Runs and Locks.</p>}
    </Page>
  );
}

function Problems({ problems }: { readonly problems: readonly Problem[] }): VNode {
  return (
    <Section title="Problems" count={problems.length || undefined}>
      {problems.length === 0 ? (
        <Empty title="No problems">
          The last run of each job succeeded, no tick is overdue, and every schedule has a process that runs it.
        </Empty>
      ) : (
        <ul class="rows">
          {problems.map((problem) => {
            const { kind, name, text, jobs } = problem;
            if (jobs === undefined) return <OneJob key={`${kind} ${name}`} {...problem} />;
            return <Several key={`${kind} ${text.replace(/[\d.:]+/g, "")}`} {...problem} jobs={jobs} />;
          })}
        </ul>
      )}
    </Section>
  );
}

/** The action that helps a job with its problem. */
const Helps = ({
  act,
  ...target
}: Pick<Target, "name" | "names" | "run" | "where" | "queue"> & { act: Problem["act"] | undefined }): VNode | null =>
  act === undefined ? null : (
    <ActButtons offers={allowed([offer(act)])} target={{ ...target, ...(act === "run-now" && { again: "last" }) }} />
  );

function OneJob({ kind, name, at, text, run, act, queue }: Problem): VNode {
  const { holder } = (run !== undefined && running.value?.get(run)) || {};
  const where = holder && processText(holder);
  return (
    <li class="problem">
      <StateMark state={problemOf(kind)} />
      <div class="what">
        {queue === undefined ? (
          <JobLink name={name} row={run === undefined} />
        ) : (
          <a class="name" href={to.queue(name)} data-row={run === undefined || undefined}>
            {name}
          </a>
        )}
        <span class="text dim cut" title={inZone(text, second.value, zoneFor(name))}>
          {queue !== undefined && queue.dead > 0 && <b>{count(queue.dead, "dead letter")}: </b>}
          <WithTimes text={text} job={name} />
        </span>
      </div>
      {/* The text already says since when. */}
      <Since at={kind === "ignores-cancel" ? undefined : at} name={name} />
      <span class="ways row">
        <Helps act={act} name={name} run={run} where={where} queue={queue} />
        <TheRun name={name} run={run} />
        <Why kind={kind} name={name} run={run} />
      </span>
    </li>
  );
}

const FAILED: ReadonlySet<Problem["kind"]> = new Set(["failed", "lost", "timeout"]);

interface OfRun {
  readonly name: string;
  readonly run: string | undefined;
}

const TheRun = ({ name, run }: OfRun): VNode | null =>
  run === undefined ? null : (
    <RunLink run={run} row>
      The run<span class="hidden-text"> of {name}</span>
    </RunLink>
  );

const Since = ({ name, at }: { readonly name: string; readonly at: number | undefined }): VNode => (
  <span class="dim">{at !== undefined && <Away at={at} job={name} />}</span>
);

/** A run that failed has another question than what keeps its job from running. */
function Why({ kind, name, run, who = name }: OfRun & Pick<Problem, "kind"> & { readonly who?: string }): VNode {
  const failed = FAILED.has(kind) ? run : undefined;
  const label = `Why ${who} ${failed === undefined ? "is not running" : "failed"}`;
  return (
    <a
      class="link nowrap"
      href={failed === undefined ? to.why(name) : to.whyRun(failed)}
      aria-label={label}
      title={label}
    >
      Why
    </a>
  );
}

type Grouped = Problem & Required<Pick<Problem, "jobs">>;

/** One row for several jobs. It expands to their names. */
function Several({ kind, name, at, text, jobs: { n, names, runs, except }, act }: Grouped): VNode {
  const open = useSignal(false);
  const helped = names.filter((each) => except?.includes(each) !== true);
  return (
    <>
      <li class="problem">
        <StateMark state={problemOf(kind)} />
        <div class="what">
          <button
            type="button"
            class="unfold name"
            aria-expanded={open.value}
            onClick={() => (open.value = !open.value)}
            data-row
          >
            {count(n, "job")}
          </button>
          <span class="text dim cut" title={text}>
            {text}
          </span>
        </div>
        <span class="dim nowrap">
          {at !== undefined && (
            <>
              since <Time at={at} />
            </>
          )}
        </span>
        <span class="ways row">
          {/* Each lock has another holder, which may still work. */}
          {act !== "unlock" && <Helps act={act} name={count(helped.length, "job")} names={helped} />}
          <Why kind={kind} name={name} run={runs?.[0]} who={`the first of them, ${name},`} />
        </span>
      </li>
      {open.value && (
        <li>
          <ul class="rows plain unfolded" aria-label={`The ${count(n, "job")}`}>
            {names.map((each, i) => (
              <li key={each}>
                <JobLink name={each} cut row={runs === undefined} />
                <span class="end row ways">
                  <Helps act={except?.includes(each) ? undefined : act} name={each} run={runs?.[i]} />
                  <TheRun name={each} run={runs?.[i]} />
                  <Why kind={kind} name={each} run={runs?.[i]} />
                </span>
              </li>
            ))}
            {names.length < n && <li class="dim">and {n - names.length} more: see Jobs</li>}
          </ul>
        </li>
      )}
    </>
  );
}

function RunningList({ runs }: { readonly runs: readonly Running[] }): VNode {
  const { rows, around } = useInPlace(runs);
  return (
    <Section title="Running" count={runs.length}>
      {rows.length === 0 ? (
        <Empty title="Nothing is running">A run appears here as soon as it starts.</Empty>
      ) : (
        <ul class="rows" {...around}>
          {rows.map((row) => (
            <RunningRow key={row.item.name} {...row} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function RunningRow({ item: run, gone }: Placed<Running>): VNode {
  const { id, name, startTime, holder, attempt, waiting, progress, stopRequest: asked } = run;
  return (
    <li class="run" data-gone={gone || undefined}>
      {gone ? <span /> : <RunState status="running" bare />}
      <div class="what">
        <JobLink name={name} row={false} />
        <span class="dim">
          <Holder holder={holder} />
          {attempt !== undefined && attempt > 1 && ` · attempt ${attempt}`}
          {waiting > 0 && ` · ${waiting} waiting`}
        </span>
        {asked !== undefined && !gone && (
          <span data-tone="warn">
            stop requested by {whoText(asked)}: {asked.reason}
          </span>
        )}
        {progress !== undefined && <span class="dim cut">{progressText(progress)}</span>}
      </div>
      {gone ? <span class="pace" /> : <Pace run={run} />}
      <span class="elapsed">
        <RunLink run={id} row>
          {gone ? "ended" : <Elapsed since={startTime} />}
          <span class="hidden-text">, its run</span>
        </RunLink>
      </span>
      {gone ? <span class="lease" /> : <Lease run={run} />}
      <ActMenu
        offers={offersOfRun(gone ? "This run has ended." : undefined)}
        target={{ name, run: id, where: processText(holder) }}
      />
    </li>
  );
}

/** The elapsed time on a scale, with marks at the median and the 95th percentile of its runs. */
function Pace({ run: { startTime, usual, progress } }: { readonly run: Running }): VNode {
  const elapsed = Math.max(0, second.value - startTime);
  const share = shareOf(progress);
  if (usual === undefined && share === undefined) return <span class="pace dim">no earlier run to compare</span>;
  const end = Math.max(elapsed, (usual?.p95 ?? 0) * 1.15, 1);
  const isLong = usual !== undefined && elapsed > usual.p95;
  const at = (ms: number): { left: string } => ({ left: `${(ms / end) * 100}%` });
  const words = usual ? `usually ${durationText(usual.p50)}, rarely over ${durationText(usual.p95)}` : "";
  return (
    <span class="pace">
      <span class="meter" role="img" aria-label={`${elapsedText(elapsed)}; ${words}`} title={words}>
        <i data-tone={isLong ? "warn" : "running"} style={{ width: `${(share ?? elapsed / end) * 100}%` }} />
        {share === undefined && usual && [usual.p50, usual.p95].map((ms) => <b style={at(ms)} />)}
      </span>
      <span class="dim">
        {share !== undefined
          ? percent(Math.round(share * 100) / 100)
          : isLong
            ? "longer than usual"
            : `of ${durationText(usual?.p50 ?? 0)}`}
      </span>
    </span>
  );
}

/** How long the process keeps its lock unless it renews it. */
function Lease({ run: { lease, fence } }: { readonly run: Running }): VNode {
  if (lease === undefined) return <span class="lease" />;
  const left = lease.until - second.value;
  const renewed = Math.max(0, second.value - lease.renewed);
  const title = `Renewed ${durationText(renewed)} ago, fence ${fence}`;
  return (
    <span class="lease" data-late={left < 3_000} title={title}>
      lease {left > 0 ? elapsedText(left) : "expired"}
    </span>
  );
}

/** An answer with this many ticks or more has the first one of each job, and the soonest of the others. */
const MAX_TICKS = 50;

/** How many jobs are shown at first. */
const FIRST_JOBS = 12;

const DAY = 86_400_000;
/** The share of the width that a text of the axis takes, with its distance to the next one. */
const MARGIN = 0.3;

const WIDTH = 480;
const HEIGHT = 32;

/** The coming ticks: a row for each job with its next tick, and how many jobs are due when. */
function NextTicks({ now }: { readonly now: Now }): VNode {
  const ticks = now.next;
  const all = useSignal(false);
  const jobs = [...byJob(ticks).values()];
  const shown = all.value ? jobs : jobs.slice(0, FIRST_JOBS);
  return (
    <Section title="Next 24 hours" count={count(jobs.length, "job")}>
      {ticks.length === 0 ? (
        <Empty title="Nothing is due">No schedule has a tick in the next 24 hours.</Empty>
      ) : (
        <>
          <Density {...now} />
          <ul class="rows plain">
            {shown.map(([tick, n]) => (
              <TickRow key={tick.schedule} tick={tick} more={ticks.length < MAX_TICKS ? n - 1 : 0} />
            ))}
          </ul>
          {shown.length < jobs.length && (
            <button type="button" class="button" onClick={() => (all.value = true)}>
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

function TickRow({ tick, more }: { readonly tick: TickView; readonly more: number }): VNode {
  return (
    <li>
      <span class="when">
        <Time at={tick.due} job={tick.schedule} />
      </span>
      <JobLink name={tick.schedule} cut />
      {more > 0 && <span class="dim nowrap">+{more}</span>}
      {(tick.skipped !== undefined || tick.unattended === true) && (
        <StateMark state={tickState(tick, second.value)} bare />
      )}
      <span class="dim end">
        <Due at={tick.due} job={tick.schedule} />
      </span>
    </li>
  );
}

/** How many jobs are due in each half hour. */
function Density({ at: from, ahead: slots }: Now): VNode | null {
  const most = Math.max(0, ...slots);
  if (most === 0) return null;
  const width = WIDTH / slots.length;
  const zone = zoneFor(undefined);
  // Midnight, where the day changes; not near "now" and the end, where it would overlap them.
  const midnight = marksOf(from, from + DAY, zone, 4).find(({ isDay }) => isDay);
  const share = midnight === undefined ? 0 : (midnight.at - from) / DAY;
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
        {midnight !== undefined && share > MARGIN && share < 1 - MARGIN && (
          <span class="day" style={{ left: `${share * 100}%` }}>
            {midnight.text}
          </span>
        )}
        <Time at={from + DAY} />
      </figcaption>
    </figure>
  );
}
