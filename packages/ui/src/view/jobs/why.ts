import type { ScheduleReason } from "@ojm/schedule";
import type { ActName, ReasonView, Why } from "../../contract/types.js";
import type { OtherReason } from "../../types.js";
import { nextOf } from "../now/ticks.js";
import type { Source } from "../source.js";

/** What can be done about each reason. */
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

/** What helps that no act does. */
const HELPS: Readonly<Partial<Record<ScheduleReason["code"], string>>> = {
  unattended: "Start the process that adds the schedule.",
};

/** Why a job does not run now, and when it will. */
export async function whyOf(source: Source, name: string): Promise<Why> {
  const [reasons, next] = await Promise.all([reasonsOf(source, name), nextOf(source.scheduler, name, 50)]);
  const run = next.find(({ skipped }) => skipped === undefined);
  return { name, reasons, ...(run !== undefined && { next: run.due }) };
}

/** The same reasons as those of `ojm why`, the most important one first. */
export async function reasonsOf(source: Source, name: string): Promise<ReasonView[]> {
  const [all, others] = await Promise.all([source.scheduler.why(name), source.reasons(name)]);
  const views = viewsOf(all, source);
  const orphans = others.filter(({ code }) => code === "orphaned");
  // That a lock is free does not mean that the next command begins.
  const isKept = orphans.some(({ keeps }) => keeps === true);
  const told = failureFirst(views.filter(({ code }) => code !== "ready" || !isKept));
  // What keeps it away now comes first, and what became of its last run behind it.
  const last = told.findIndex(({ code }) => code === "last" || code === "tick" || code === "next");
  const refused = others.filter(({ code }) => code === "refused");
  return [
    ...orphans.map((other) => otherView(other, source)),
    ...told.toSpliced(last < 0 ? told.length : last, 0, ...refused.map((other) => otherView(other, source))),
  ];
}

/** That a job could run now matters less than that its last run failed. */
function failureFirst(views: readonly ReasonView[]): readonly ReasonView[] {
  const failure = views.find(({ status }) => status === "failed" || status === "timeout" || status === "lost");
  return failure === undefined || views[0]?.code !== "ready"
    ? views
    : [failure, ...views.filter((one) => one !== failure)];
}

function otherView({ code, text, help, run }: OtherReason, { mask }: Source): ReasonView {
  return { code, text: mask(text), ...(help !== undefined && { help: mask(help) }), ...(run !== undefined && { run }) };
}

function viewsOf(all: readonly ScheduleReason[], { mask }: Source): ReasonView[] {
  const codes = new Set(all.map(({ code }) => code));
  return all.map((reason) => {
    const { code, text } = reason;
    const act = isVain(reason, codes) ? undefined : ACTS[code];
    const help = HELPS[code];
    return {
      code,
      text: mask(text),
      ...placeOf(reason),
      ...(act !== undefined && { act }),
      ...(help !== undefined && { help }),
    };
  });
}

/** Whether an act would come to nothing: as `ojm why`, no page offers a run that nobody would run. */
function isVain({ code, tick }: ScheduleReason, codes: ReadonlySet<ScheduleReason["code"]>): boolean {
  if (code === "next") return codes.has("unattended") || codes.has("maintenance");
  // Only a tick that was not run can be run later.
  return code === "tick" && (tick === undefined || tick.outcome === "run");
}

/** When it happened, or will, and of which run it is. */
function placeOf({ code, reason, tick }: ScheduleReason): Pick<ReasonView, "at" | "run" | "attempt" | "status"> {
  if (tick !== undefined) {
    // Its text names the run that kept it away.
    const { at, run = tick.evidence?.["run"] } = tick;
    return { at, ...(typeof run === "string" && { run }) };
  }
  const { run, lock, next } = reason ?? {};
  // Its text tells since when somebody waits; the run and the lock are of the one that is waited for.
  if (code === "queue") return {};
  if (code === "retry" && next !== undefined) return { at: next.due, run: next.chain, attempt: next.attempt };
  if (run !== undefined) {
    return { at: run.endTime ?? run.startTime, run: run.id, ...(code === "last" && { status: run.status }) };
  }
  return lock === undefined ? {} : { at: lock.since };
}
