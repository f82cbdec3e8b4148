import type { JobManager, RunRecord, RunStatus } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { all, endVerb, first, hasEnded, present, startMs, visible } from "@ojm/core/internal";
import { usualOf } from "@ojm/core/internal/operator";
import { schedulesIn } from "../control/overview.js";
import type { ScheduleTick, TicksOptions } from "../control/ticks.js";
import { outcomeText, type ScheduleReason } from "../control/why.js";
import { isLong } from "./problems.js";
import { type OverdueTick, overdueEntry, overdueTicks } from "./schedules.js";

/** A part of the answer to a question about the past of a job: see {@link whyThen} and {@link whyRun}. */
export interface PastReason {
  /**
   * - `tick`: the outcome of a tick. `no-tick`: none is stored for this time. `ahead`: the time is to come.
   * - `last`: how the run ended, or the run before the time. `never`: no run is stored before the time.
   * - `running`: the run that was active.
   * - `ended-by`: who ended it. `late`: it began after its tick. `attempt`: its place in its retry series.
   * - `slow`, `usual`: how long it took, compared with the runs before it. `usual`: not longer than they did.
   * - `before`: the last run that completed before it, and what has changed since.
   */
  readonly code:
    | "tick"
    | "no-tick"
    | "ahead"
    | "last"
    | "never"
    | "running"
    | "ended-by"
    | "late"
    | "attempt"
    | "slow"
    | "usual"
    | "before";
  /** The reason in words, safe to show on a terminal. */
  readonly text: string;
  /** When it happened. */
  readonly at?: number;
  /** The id of the run that it concerns, and how that run ended. */
  readonly run?: string;
  readonly status?: RunStatus;
}

/** A time that a person gives means the whole minute: a tick of 02:00:30 belongs to 02:00. */
const MINUTE = 60_000;

/** The most ticks of one minute in an answer. */
const TICKS = 5;

/** A run that began this long after its tick was late, in ms. */
const LATE = 5_000;

/** How many runs determine the usual duration, and are searched for one that completed. */
const USUAL = 20;
const LOOKS = 100;

/** Fewer completed runs than this have no usual duration. */
const FEW = 3;

/** What {@link whyThen} needs of a `Scheduler`. */
export interface TickSource {
  ticks(name: string, options?: TicksOptions): AsyncIterable<ScheduleTick>;
}

/** The time that {@link whyThen} is about, and now, in ms since 1970. */
export interface WhyThenOptions {
  readonly at: number;
  /** Default: the time of this process. */
  readonly now?: number;
}

/**
 * Why a job ran, or did not run, at a time: the outcome of its tick, and the run that was active. The most
 * important reason is first.
 *
 * @throws ChannelError if the store fails
 */
export async function whyThen(
  scheduler: TickSource,
  manager: JobManager,
  name: string,
  { at, now = Date.now() }: WhyThenOptions,
): Promise<PastReason[]> {
  if (at > now) return [{ code: "ahead", text: `${iso(at)} is still to come`, at }];
  const to = at + MINUTE;
  const ticks = [
    ...(await overdueThen(manager, name, { from: at, to, now })),
    ...(await all(scheduler.ticks(name, { from: at, to, limit: TICKS }))),
  ].map((tick): PastReason => {
    const text = `the tick of ${iso(Math.max(tick.at, at))} ${outcomeText(tick)}`;
    return { code: "tick", text, at: tick.at, ...present({ run: tick.run }) };
  });
  const ran = await first(manager.history({ name, to, limit: 1 }));
  const stated = ticks.length > 0 ? ticks : await withoutTick(scheduler, name, at);
  if (ran === undefined)
    return [...stated, { code: "never", text: `no run of "${visible(name)}" before it is stored` }];
  const wasActive = ran.endTime === undefined || ran.endTime >= at;
  if (wasActive) return [...stated, ...(await whyRun(manager, ran))];
  return [...stated, { ...endOf(ran), text: `the last run before it, ${visible(ran.id)}, ${endText(ran)}` }];
}

/** Why a run ended as it did, and took so long, compared with the runs before it. The end is first. */
export async function whyRun(manager: JobManager, run: RunRecord): Promise<PastReason[]> {
  const { name, id, startTime, delay, tick, attempt, retry, endedBy } = run;
  const before = await all(manager.history({ name, to: startTime, limit: USUAL }));
  const reasons: PastReason[] = [{ ...endOf(run), text: `${visible(id)} ${endText(run)}` }];
  if (endedBy !== undefined) {
    const who = endedBy.author ?? `${endedBy.by.host}, pid ${endedBy.by.pid}`;
    const text = `it was ended by ${endedBy.action}, by ${visible(who)}: ${visible(endedBy.reason)}`;
    reasons.push({ code: "ended-by", text, run: id });
  }
  reasons.push(...durationIn(run, before));
  if (tick !== undefined && delay !== undefined && delay >= LATE)
    reasons.push({ code: "late", text: `it began ${durationText(delay)} after its tick, of ${iso(tick)}`, at: tick });
  if (attempt !== undefined && attempt > 1)
    reasons.push({
      code: "attempt",
      text: `it was attempt ${attempt}${retry === undefined ? "" : ` of ${retry.attempts}`}`,
      run: id,
    });
  const well =
    before.find(({ status }) => status === "completed") ??
    (before.length < USUAL ? undefined : await completedBefore(manager, run));
  if (well !== undefined) reasons.push(comparedWith(well, run));
  return reasons;
}

/** How long a run took, compared with those before it. That a failed run was shorter says nothing. */
function durationIn({ id: run, status, duration }: RunRecord, before: readonly RunRecord[]): PastReason[] {
  const usual = usualOf(before);
  if (duration === undefined || usual === undefined) return [];
  const isSlow = isLong(duration, usual);
  if (!isSlow && status !== "completed") return [];
  const took = `it took ${durationText(duration)}`;
  if (before.filter((one) => one.status === "completed").length < FEW)
    return [{ code: "usual", text: `${took}: too few runs completed before it to know what is usual`, run }];
  const [half, most] = [durationText(usual.p50), durationText(usual.p95)];
  const how = isSlow ? "longer than usual" : duration * 2 <= usual.p50 ? "less than usual" : "as usual";
  const than = `half of the runs before it that completed took ${half} or less, 19 of 20 took ${most} or less`;
  return [{ code: isSlow ? "slow" : "usual", text: `${took}, ${how}: ${than}`, run }];
}

async function completedBefore(
  manager: JobManager,
  { name, startTime: to }: RunRecord,
): Promise<RunRecord | undefined> {
  for await (const record of manager.history({ name, to, limit: LOOKS }))
    if (record.status === "completed") return record;
  return undefined;
}

/** The last run that completed, and what is different now. */
function comparedWith(well: RunRecord, run: RunRecord): PastReason {
  const took = well.duration === undefined ? "" : ` after ${durationText(well.duration)}`;
  const pairs: readonly (readonly [what: string, then: string | undefined, now: string | undefined])[] = [
    ["the host", well.holder.host, run.holder.host],
    ["ojm", well.versions?.ojm, run.versions?.ojm],
    ["Node", well.versions?.node, run.versions?.node],
  ];
  const changed = pairs
    .filter(([, then, now]) => then !== undefined && now !== undefined && then !== now)
    .map(([what, then = "", now = ""]) => `${what} from ${visible(then)} to ${visible(now)}`);
  const what = changed.length === 0 ? "" : `. Since then changed: ${changed.join(", ")}`;
  const text = `the last run before it that completed, ${visible(well.id)}, ended at ${visible(well.endDate ?? "")}${took}, on ${visible(well.holder.host)}${what}`;
  return { code: "before", text, run: well.id, status: well.status };
}

/** The ticks in a range that no process has decided on. */
async function overdueThen(
  manager: JobManager,
  name: string,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): Promise<OverdueTick[]> {
  for await (const schedule of schedulesIn(manager)) {
    if (schedule.name !== name) continue;
    const range = { after: Math.max(schedule.decided, from - 1), by: to - 1 };
    return overdueEntry(name, overdueTicks(schedule, now, range));
  }
  return [];
}

async function withoutTick(scheduler: TickSource, name: string, at: number): Promise<PastReason[]> {
  const before = await first(scheduler.ticks(name, { to: at, limit: 1 }));
  const last =
    before === undefined ? "" : `. The tick before it, of ${iso(before.until ?? before.at)}, ${outcomeText(before)}`;
  const run = before?.run === undefined ? {} : { run: before.run };
  return [{ code: "no-tick", text: `no tick at ${iso(at)} is recorded${last}`, at, ...run }];
}

const endOf = ({ id: run, endTime, startTime, status }: RunRecord): PastReason => ({
  ...{ code: status === "running" ? "running" : "last", text: "", run, status },
  at: endTime ?? startMs(startTime),
});

function endText(run: RunRecord): string {
  const { status, startDate, endDate = "", error } = run;
  if (!hasEnded(run)) return `has been running since ${visible(startDate)}`;
  return `${endVerb(status)} at ${visible(endDate)}${error === undefined ? "" : `: ${visible(error)}`}`;
}

const iso = (at: number): string => new Date(at).toISOString();

type Code = ScheduleReason["code"];

/** A queue needs no schedule, its items do not wait for each other, and its definition has its limits. */
const OF_JOBS: readonly Code[] = ["ready", "running", "never", "unscheduled", "permit", "rate"];

/** Whether a reason of `scheduler.why` says something about the items of a queue of this name. */
export const concernsQueue = ({ code }: Pick<ScheduleReason, "code">): boolean => !OF_JOBS.includes(code);

const OF_OTHER_TIMES: readonly string[] = ["last", "tick", "next", "never", "unscheduled"] satisfies Code[];

/** Whether a reason is about now. The others are about past runs and ticks, and about the next one. */
export const isAboutNow = ({ code }: { readonly code: string }): boolean => !OF_OTHER_TIMES.includes(code);
