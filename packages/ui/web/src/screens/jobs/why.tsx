import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ActButtons } from "../../acts/act-menu.js";
import { allowed, offer, offersOf, possible } from "../../acts/acts.js";
import { queryOf } from "../../api/call.js";
import { type Resource, useResource } from "../../api/resource.js";
import type { Job, JobDetail, ReasonView, Why } from "../../api/types.js";
import { go, place, to } from "../../app/router.js";
import { reasonState } from "../../format/states.js";
import { fromField, isoOf, TIME_FIELD, toField } from "../../format/wall.js";
import { pageJob, zoneFor } from "../../format/zone.js";
import { useSubject } from "../../palette/palette.js";
import { Icon } from "../../parts/icon.js";
import { complain, rangeOf } from "../../parts/lists/range-field.js";
import { Page, Section } from "../../parts/page.js";
import { Empty, Loaded } from "../../parts/pictures.js";
import { Prose } from "../../parts/prose.js";
import { StateMark } from "../../parts/state.js";
import { useSteady } from "../../parts/steady/height.js";
import { Away, Time } from "../../parts/time.js";

/** How often a job is read again, in ms: no event reports an overdue tick, or the last process's end. */
const REFRESH = 15_000;

/** Reads a job, and sets the subject of the palette and of the times. */
export function useJob(name: string): Resource<JobDetail> {
  const job = useResource<JobDetail>(`jobs/${encodeURIComponent(name)}`, { names: [name], every: REFRESH });
  const detail = job.data.value;
  const [run, hold] = [detail?.running, detail?.lock?.hold];
  const acts = detail === undefined ? [] : possible(offersOf(detail));
  useSubject({ acts, target: { name, run, hold } }, [name, run, acts.join(), hold?.reason]);
  usePageJob(name, detail?.schedule?.timeZone);
  return job;
}

/** Sets the job of the page before it is painted: otherwise its times would jump to another zone. */
export function usePageJob(name: string, zone?: string): void {
  useLayoutEffect(() => {
    pageJob.value = { name, zone };
    return () => {
      pageJob.value = undefined;
    };
  }, [name, zone]);
}

interface WhyProps {
  readonly name: string;
  /** What is already known about the job. */
  readonly job?: Pick<Job, "running" | "last" | "lock"> | undefined;
  /** Whether the head of the page has the actions. Then none appear here, where they would come and go. */
  readonly bare?: boolean;
}

/** The question of the address: about now, about a time, or about a run. */
interface Question {
  readonly at?: number | undefined;
  readonly run?: string | undefined;
}

function questionOf(query: URLSearchParams): Question {
  const run = query.get("run") ?? undefined;
  const { from } = rangeOf({ query: new URLSearchParams({ from: query.get("at") ?? "" }) });
  return run === undefined ? { at: from === undefined ? undefined : Number(from) } : { run };
}

/** The answer to a question about a job, as a page with its own address to share. */
export function WhyScreen({ name }: { readonly name: string }): VNode {
  const job = useJob(name);
  const question = questionOf(place.value.query);
  const why = useWhy(name, question);
  const last = job.data.value?.last?.id;
  return (
    <Page
      title={titleOf(name, question, why.data.value?.reasons)}
      said={job.data.value?.schedule?.words}
      end={
        <a class="button" href={job.data.value?.queue ? to.queue(name) : to.job(name)}>
          {job.data.value?.queue ? "The queue" : "The job"}
        </a>
      }
    >
      <nav class="chips filters questions" aria-label="Questions">
        <Ask href={to.why(name)} chosen={question.at === undefined && question.run === undefined}>
          Now
        </Ask>
        {last !== undefined && (
          <Ask href={to.whyRun(last)} chosen={question.run === last}>
            Its last run
          </Ask>
        )}
        <AskThen name={name} at={question.at} />
      </nav>
      <Answer
        key={`${question.at} ${question.run}`}
        of={why}
        name={name}
        job={(question.at ?? question.run) ? undefined : job.data.value}
      />
    </Page>
  );
}

const FAILED: ReadonlySet<string | undefined> = new Set(["failed", "timeout", "lost"]);

function titleOf(name: string, { at, run }: Question, reasons: readonly ReasonView[] | undefined): string {
  if (at !== undefined) {
    const zone = zoneFor(name);
    return `What did ${name} do at ${toField(at, zone)} (${zone})?`;
  }
  if (run === undefined) return `Why is ${name} not running?`;
  const [end] = reasons ?? [];
  return FAILED.has(end?.status) ? `Why did this run of ${name} fail?` : `Why did this run of ${name} take so long?`;
}

interface AskProps {
  readonly href: string;
  readonly chosen: boolean;
  readonly children: string;
}

const Ask = ({ href, chosen, children }: AskProps): VNode => (
  <a class="button" href={href} aria-current={chosen ? "page" : undefined}>
    {children}
  </a>
);

/** A field for the time of a question. */
function AskThen({ name, at }: { readonly name: string; readonly at: number | undefined }): VNode {
  const zone = zoneFor(name);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (field.current !== null) field.current.value = at === undefined ? "" : toField(at, zone);
  }, [at, zone]);
  return (
    <form
      class="range row"
      aria-label="Ask about a time"
      onInput={() => field.current?.setCustomValidity("")}
      onSubmit={(event) => {
        event.preventDefault();
        const asked = fromField(field.current?.value ?? "", zone);
        if (asked === undefined) complain(field.current, "This time does not exist.");
        else go(`${to.why(name)}${queryOf({ at: asked })}`);
      }}
    >
      <label class="row">
        <span>At</span>
        <input {...TIME_FIELD} ref={field} required />
      </label>
      <button type="submit" class="button">
        Ask
      </button>
      <span class="dim zone">{zone}</span>
    </form>
  );
}

const useWhy = (name: string, question: Question = {}): Resource<Why> =>
  useResource<Why>(`jobs/${encodeURIComponent(name)}/why${queryOf({ ...question })}`, {
    names: [name],
    every: REFRESH,
  });

function Answer({ of, ...props }: WhyProps & { readonly of: Resource<Why> }): VNode {
  return (
    <Loaded of={of} rows={3}>
      {({ reasons }) => <Reasons {...props} reasons={reasons} />}
    </Loaded>
  );
}

/** The answer as a part of a page. */
export function WhySection({ job }: { readonly job: Job }): VNode {
  const { name, running } = job;
  const why = useWhy(name);
  return (
    <Section
      title={headingOf(why.data.value?.reasons, running)}
      end={
        <a class="link" href={to.why(name)} aria-label={`Link to why ${name} is not running`}>
          <Icon name="link" />
        </a>
      }
    >
      <Answer of={why} name={name} job={job} bare />
    </Section>
  );
}

/** The reasons that keep a job from running, and those that only make it wait. */
const STOPS = new Set(["orphaned", "paused", "blackout", "unattended", "overdue", "locked", "maintenance"]);
const WAITS = new Set(["queue", "permit", "rate", "waiting", "busy", "delayed", "backfill", "retry"]);

/** The heading of the reasons: the page of a healthy job must not ask why it does not run. */
export function headingOf(reasons: readonly ReasonView[] | undefined, running?: string): string {
  if (running !== undefined) return "What it is doing now";
  const codes = reasons?.map(({ code }) => code.replace(/^queue-/, "")) ?? ["next"];
  if (codes.some((code) => STOPS.has(code))) return "Why it is not running now";
  if (codes.some((code) => WAITS.has(code))) return "What it is waiting for";
  if (codes.includes("next")) return "Last and next";
  return codes.includes("last") ? "Last run" : "Why it is not running now";
}

/** The reasons, the most important first, each with its evidence and its action. */
export function Reasons({ reasons, ...props }: WhyProps & { readonly reasons: readonly ReasonView[] }): VNode {
  if (reasons.length === 0) return <Empty title="Nothing keeps it from running">It runs when someone starts it.</Empty>;
  return (
    <ol class="reasons">
      {withLast(reasons, props.job).map((reason, i) => (
        <Reason key={slotOf(reason)} {...props} reason={reason} first={i === 0} />
      ))}
    </ol>
  );
}

/** The reasons that come after the last run. */
const LATER = new Set(["waiting", "backfill", "tick", "next"]);

/** Adds the last run while a job is running: without it, everything below would move with each run. */
function withLast(reasons: readonly ReasonView[], job: WhyProps["job"]): readonly ReasonView[] {
  const codes = reasons.map(({ code }) => code);
  if (job?.last === undefined || !codes.includes("running") || codes.includes("last")) return reasons;
  const { id, status, startTime, endTime = startTime, error } = job.last;
  const text = `the last run, ${id}, ended as ${status} at ${new Date(endTime).toISOString()}`;
  const last = { code: "last", text: error === undefined ? text : `${text}: ${error}`, at: endTime, run: id, status };
  const at = codes.findIndex((code) => LATER.has(code));
  return reasons.toSpliced(at === -1 ? reasons.length : at, 0, last);
}

/** The place of a reason in the list. "Running" and "ready" share one. */
const slotOf = ({ code, attempt, run, at }: ReasonView): string =>
  code === "ready" || code === "running"
    ? "now"
    : `${code} ${attempt === undefined ? "" : run} ${code === "tick" ? at : ""}`;

interface ReasonProps extends WhyProps {
  readonly reason: ReasonView;
  readonly first: boolean;
}

function Reason({ name, job, bare = false, reason, first }: ReasonProps): VNode {
  const { text, at, run, attempt, act, help } = reason;
  // A pending attempt is cancelled by the first run of its retry series.
  const target = attempt === undefined ? { name, run: job?.running, hold: job?.lock?.hold } : { name, run, attempt };
  return (
    <li data-first={first} ref={useSteady()}>
      <StateMark state={reasonState(reason)} />
      <div class="what">
        <p>
          <Prose text={text} run={run} />
        </p>
        {help !== undefined && <p class="dim">{help}</p>}
        {at !== undefined && (
          <p class="dim">
            <Away at={at} />
            {/* The text may already have the time. */}
            {!text.includes(isoOf(new Date(at))) && (
              <>
                {" "}
                · <Time at={at} />
              </>
            )}
          </p>
        )}
      </div>
      {act !== undefined && !(bare && attempt === undefined && act !== "stop-backfill") && (
        <ActButtons offers={allowed([offer(act)])} target={target} />
      )}
    </li>
  );
}
