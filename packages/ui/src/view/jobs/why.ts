import { parseRunId } from "@ojm/core";
import { present, startMs } from "@ojm/core/internal";
import type { ScheduleReason } from "@ojm/schedule";
import { concernsQueue, isAboutNow, type PastReason, whyRun, whyThen } from "@ojm/schedule/operator";
import type { ActName, ReasonView, Why } from "../../contract/types.js";
import type { OtherReason } from "../../types.js";
import { nextOf } from "../now/ticks.js";
import { reasonViews, summaryOf } from "../queues.js";
import { recordOf } from "../runs/items.js";
import type { Source } from "../source.js";

/** The action that helps with each reason. */
const ACTS: Readonly<Partial<Record<ScheduleReason["code"], ActName>>> = {
  paused: "resume",
  running: "cancel",
  locked: "unlock",
  maintenance: "end-hold",
  retry: "cancel",
  backfill: "stop-backfill",
  tick: "backfill",
  next: "run-now",
};

/** Remedies that are not actions. */
const HELPS: Readonly<Partial<Record<ScheduleReason["code"], string>>> = {
  unattended: "Start the process that adds the schedule.",
};

/** Why a job does not run now, and when it will; or why it did not run at a time, or why a run ended so. */
export async function whyOf(
  source: Source,
  name: string,
  { at, run: id }: { readonly at?: number | undefined; readonly run?: string | undefined } = {},
): Promise<Why | undefined> {
  const { scheduler, manager, mask } = source;
  const past = (all: readonly PastReason[]): Why => ({
    name,
    reasons: all.map((reason) => ({ ...reason, text: mask(reason.text) })),
  });
  if (at !== undefined) return past(await whyThen(scheduler, manager, name, { at }));
  if (id !== undefined) {
    const ref = parseRunId(id);
    const record = ref?.name === name ? await recordOf(source, ref) : undefined;
    return record && past(await whyRun(manager, record));
  }
  const [reasons, next] = await Promise.all([reasonsOf(source, name), nextOf(source.scheduler, name, 50)]);
  const run = next.find(({ skipped }) => skipped === undefined);
  return { name, reasons, ...(run !== undefined && { next: run.due }) };
}

/** The same reasons as in `ojm why`, the most important one first. */
export async function reasonsOf(source: Source, name: string): Promise<ReasonView[]> {
  const { scheduler, reasons } = source;
  // A queue has no schedule.
  const isScheduled = (await source.hub.store()).schedule(name) !== undefined;
  const isQueue = !isScheduled && (await summaryOf(source, name)) !== undefined;
  const queue = isQueue ? source.queues.why(name) : [];
  const [all, others, ofQueue] = await Promise.all([scheduler.why(name), reasons(name), queue]);
  const views = viewsOf(name, isQueue ? all.filter(concernsQueue) : all, source);
  const orphans = others.filter(({ code }) => code === "orphaned");
  // A free lock does not mean that the next command starts.
  const isKept = orphans.some(({ keeps }) => keeps === true);
  const shown = failureFirst(views.filter(({ code }) => code !== "ready" || !isKept));
  // What keeps it from running now comes first, then the outcome of its last run.
  const later = shown.findIndex((reason) => !isAboutNow(reason));
  const refused = others.filter(({ code }) => code === "refused");
  return [
    ...reasonViews(ofQueue, source),
    ...orphans.map((other) => otherView(other, source)),
    ...shown.toSpliced(later < 0 ? shown.length : later, 0, ...refused.map((other) => otherView(other, source))),
  ];
}

/** A failure of the last run matters more than that the job could run now. */
function failureFirst(views: readonly ReasonView[]): readonly ReasonView[] {
  const failure = views.find(({ status }) => status === "failed" || status === "timeout" || status === "lost");
  return failure === undefined || views[0]?.code !== "ready"
    ? views
    : [failure, ...views.filter((one) => one !== failure)];
}

function otherView({ code, text, help, run }: OtherReason, { mask }: Source): ReasonView {
  return { code, text: mask(text), ...(help !== undefined && { help: mask(help) }), ...(run !== undefined && { run }) };
}

function viewsOf(name: string, all: readonly ScheduleReason[], { mask }: Source): ReasonView[] {
  const codes = new Set(all.map(({ code }) => code));
  return all.map((reason) => {
    const { code, text } = reason;
    const act = isVain(reason, codes) || isOfOther(name, reason) ? undefined : ACTS[code];
    return { code, text: mask(text), ...placeOf(reason), ...present({ act, help: HELPS[code] }) };
  });
}

/** Whether an action would have no effect: like `ojm why`, it offers no run that no process would make. */
function isVain({ code, tick }: ScheduleReason, codes: ReadonlySet<ScheduleReason["code"]>): boolean {
  if (code === "next") return codes.has("unattended") || codes.has("maintenance");
  // Only a tick that was not run can be run later.
  return code === "tick" && (tick === undefined || tick.outcome === "run");
}

/** Whether an action on this name would not concern the lock: the job has a lock of another name. */
function isOfOther(name: string, { code, reason }: ScheduleReason): boolean {
  const { lock } = reason ?? {};
  return (code === "locked" || code === "maintenance") && lock !== undefined && lock.name !== name;
}

/** When it happened or will happen, and the run that it concerns. */
function placeOf({ code, reason, tick }: ScheduleReason): Pick<ReasonView, "at" | "run" | "attempt" | "status"> {
  if (tick !== undefined) {
    // The text names the run that kept it from running.
    const { at, run = tick.evidence?.["run"] } = tick;
    return { at, ...(typeof run === "string" && { run }) };
  }
  const { run, lock, next } = reason ?? {};
  // The text says how long the job has waited; the run and the lock belong to the run that it waits for.
  if (code === "queue") return {};
  if (code === "retry" && next !== undefined) return { at: next.due, run: next.chain, attempt: next.attempt };
  if (run !== undefined) {
    return {
      at: run.endTime ?? startMs(run.startTime),
      run: run.id,
      ...(code === "last" && { status: run.status }),
    };
  }
  return lock === undefined ? {} : { at: lock.since };
}
