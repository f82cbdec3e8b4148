import type { JobManager } from "@ojm/core";
import { elapsedText, maintenanceText, ojmCommand } from "@ojm/core/internal";
import type { SchedulerView, ScheduleView } from "@ojm/schedule";
import { type Problem, type ProblemKind, type Retry, type StoreSnapshot, snapshot } from "@ojm/schedule/operator";
import { orphanedRetryHelp } from "../../exec/orphaned-retries.js";
import { orphansOf, sayHelp, sayOrphan } from "../../exec/orphans.js";
import { endOfMaintenance } from "../../maintenance/off.js";
import { type Check, count, type Finding, ok, warning } from "./finding.js";

/** A scheduler that was not heard for this long has missed a beat, even on a slow machine, in ms. */
const LATE = 10_000;

/** How long after its due time a pending attempt of a living process counts as late, in ms. */
const OVERDUE = 60_000;

/** With this many waiting ticks, a queue does not get shorter by itself. */
const MANY = 10;

/** How many schedulers are listed with the time when they were last heard. */
const MOST_TOLD = 5;

/** The check that shows each kind of problem. Failures of jobs are not listed: the store is fine. */
const SHOWN: Readonly<Partial<Record<ProblemKind, { readonly check: Check; readonly state: "problem" | "warning" }>>> =
  {
    orphaned: { check: "runs", state: "warning" },
    unattended: { check: "schedulers", state: "problem" },
    "orphaned-retry": { check: "runs", state: "warning" },
    overdue: { check: "schedulers", state: "problem" },
    held: { check: "holds", state: "warning" },
    paused: { check: "pauses", state: "warning" },
  };

/** The problems of schedules, attempts and commands, and schedulers that do not work. */
export async function checkSchedules(manager: JobManager): Promise<Finding[]> {
  const orphans = await orphansOf(manager);
  const commands = orphans.map((orphan) => ({ name: orphan.name, run: orphan.run, text: sayOrphan(orphan) }));
  const found = await snapshot(manager, { orphans: async () => commands });
  const { schedulers, problems } = found;
  const held = new Set((await manager.heldLocks()).map(({ name }) => name));
  const schedules = found.schedules.map(({ schedule }) => schedule);
  const last = schedulers.slice(0, MOST_TOLD).map((one) => `${whoIs(one)}: last heard ${ago(one)}`);
  const heard = last.length === 0 ? "" : ` (${last.join("; ")})`;
  const all = `${count(schedules.length, "schedule")}, ${count(schedulers.length, "process", "processes")} that can run them${heard}`;
  const evidence = { schedules: schedules.length, schedulers: schedulers.length };
  return [
    ok("schedulers", all, { evidence }),
    ...found.maintenance.map((one) =>
      warning("maintenance", maintenanceText(one), {
        help: `to end it: ${endOfMaintenance(one.names)}`,
        evidence: { ...one },
      }),
    ),
    ...schedulers.flatMap(quiet),
    ...problems.flatMap((one): Finding[] => {
      const shown = SHOWN[one.kind];
      if (shown === undefined) return [];
      const { kind, name, at, run } = one;
      const orphan = kind === "orphaned" ? orphans.find((command) => command.run === run) : undefined;
      return [
        {
          check: shown.check,
          // The state of a process on another machine is unknown.
          state: orphan?.isCertain ? "problem" : shown.state,
          text: orphan === undefined ? `"${name}": ${one.text}` : one.text,
          help: orphan === undefined ? helpOf(one, found) : sayHelp(orphan),
          evidence: {
            ...{ kind, name, ...(at !== undefined && { at }), ...(run !== undefined && { run }) },
            ...(orphan !== undefined && { host: orphan.host, pid: orphan.pid }),
          },
        },
      ];
    }),
    ...(await unmade(manager, found.retries, held)),
    ...schedules.flatMap((schedule) => [...queueOf(schedule), ...differences(schedule, schedulers)]),
  ];
}

/** What to do about a problem. Unattended schedules share one remedy, which is printed once. */
function helpOf({ kind, name, run, unattended }: Problem, { problems, retries }: StoreSnapshot): string {
  switch (kind) {
    case "unattended": {
      if (unattended === "older") return "start a process with the current code, or leave it";
      const isOne = problems.filter((one) => one.unattended === "gone").length === 1;
      const remove = ojmCommand("schedules rm", isOne ? name : "NAME", "--reason …");
      return `start the program that adds ${isOne ? "it" : "them"}: it then decides on the pending ticks. If no program adds ${isOne ? "it" : "them"} any more: ${remove}`;
    }
    case "orphaned-retry": {
      const retry = retries.find((one) => one.chain === run && one.name === name);
      return retry === undefined ? ojmCommand("why", name) : orphanedRetryHelp(retry);
    }
    case "held":
      return `to end that: ${ojmCommand("hold", name, "--end --reason …")}`;
    case "paused":
      return `to end that: ${ojmCommand("resume", name)}`;
    default:
      return `to see what delays it: ${ojmCommand("why", name)}`;
  }
}

/** A scheduler that is late: it may have been killed, but is still listed for 15 s. */
function quiet(scheduler: SchedulerView): Finding[] {
  const { by, heard, schedules } = scheduler;
  if (heard < LATE) return [];
  const text = `${whoIs(scheduler)}, which can run ${count(schedules.size, "schedule")}, was last heard ${ago(scheduler)}: it should be heard every 5 s`;
  const help =
    "a process that died is listed until 15 s after it was last heard: check again then. Other processes take over its ticks";
  return [warning("schedulers", text, { help, evidence: { host: by.host, pid: by.pid, heard } })];
}

function whoIs({ by: { host, pid } }: SchedulerView): string {
  return `${host}, pid ${pid}`;
}

function ago({ heard }: SchedulerView): string {
  return `${elapsedText(heard)} ago`;
}

/** Waiting ticks. A few are normal for a queue. */
function queueOf({ name, waiting }: ScheduleView): Finding[] {
  const [first] = waiting;
  if (first === undefined || waiting.length < MANY) return [];
  const since = new Date(first).toISOString();
  const text = `${count(waiting.length, "tick")} of "${name}" wait for their run, the first since ${since}: its runs take longer than the time between its ticks, or something keeps it from running. Once 100 wait, further ticks are skipped`;
  const help = `to see what delays it: ${ojmCommand("why", name)}`;
  return [warning("queues", text, { help, evidence: { name, waiting: waiting.length, since: first } })];
}

/**
 * Finds processes whose definition differs from the one in the store, which is the one that counts. If all
 * differ, the schedule is unattended.
 */
function differences({ name, hash }: ScheduleView, schedulers: readonly SchedulerView[]): Finding[] {
  const living = schedulers.filter(({ schedules }) => schedules.has(name));
  const others = living.filter(({ schedules }) => schedules.get(name) !== hash).map(whoIs);
  if (others.length === 0 || others.length === living.length) return [];
  const text = `${count(others.length, "process", "processes")} of ${living.length} have another definition of "${name}": ${others.slice(0, 5).join("; ")}`;
  const help = "restart them with the current code; during a rollout, this warning is normal";
  return [warning("definitions", text, { help, evidence: { name, others } })];
}

/**
 * Late attempts that a living process does not make, except those that wait for their lock, a permit or a
 * rate. `retries` are
 * those of the problems: one read decides whether the process of an attempt lives.
 */
async function unmade(manager: JobManager, retries: readonly Retry[], held: ReadonlySet<string>): Promise<Finding[]> {
  const before = Date.now() - OVERDUE;
  const late = retries.filter(
    ({ name, lock = name, due, schedule, orphaned }) =>
      schedule === undefined && !orphaned && due < before && !held.has(lock),
  );
  const findings: Finding[] = [];
  for (const { name, chain, attempt, due, by, permits, rate } of late) {
    const reasons = permits === undefined && rate === undefined ? [] : await manager.why(name);
    if (reasons.some(({ code }) => code === "permit" || code === "rate")) continue;
    const maker = by === undefined ? "its process" : `pid ${by.pid} on ${by.host}, which is alive`;
    const text = `attempt ${attempt} of ${chain}, due at ${new Date(due).toISOString()}, is not made by ${maker}`;
    const help = `look at that process; to end the attempt: ${ojmCommand("cancel", name, "--reason …")}`;
    findings.push(warning("runs", text, { help, evidence: { name, chain, attempt, due } }));
  }
  return findings;
}
