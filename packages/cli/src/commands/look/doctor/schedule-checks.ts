import type { JobManager } from "@ojm/core";
import { elapsedText, holdOf, ojmCommand } from "@ojm/core/internal";
import { type SchedulerView, type ScheduleView, schedulersIn, schedulesIn } from "@ojm/schedule";
import { count, type Finding, ok, problem, warning } from "./finding.js";

/** A scheduler that was not heard for so long has missed a beat, however slow its machine is, in ms. */
const LATE = 10_000;

/** From so many waiting ticks on, a queue does not get shorter by itself. */
const MANY = 10;

/** Of how many processes it is told when they were last heard. */
const MOST_TOLD = 5;

/** Looks for schedules that nobody runs, that are paused, and whose definition differs between processes. */
export async function checkSchedules(manager: JobManager, now: number): Promise<Finding[]> {
  const schedules: ScheduleView[] = [];
  for await (const schedule of schedulesIn(manager)) schedules.push(schedule);
  const schedulers: SchedulerView[] = [];
  for await (const scheduler of schedulersIn(manager)) schedulers.push(scheduler);
  const living = new Map<string, SchedulerView[]>();
  for (const scheduler of schedulers) {
    for (const name of scheduler.schedules.keys()) living.set(name, [...(living.get(name) ?? []), scheduler]);
  }
  const last = schedulers.slice(0, MOST_TOLD).map((one) => `${whoIs(one)}: last heard ${ago(one)}`);
  const heard = last.length === 0 ? "" : ` (${last.join("; ")})`;
  const all = `${count(schedules.length, "schedule")}, ${count(schedulers.length, "process", "processes")} that can run them${heard}`;
  const evidence = { schedules: schedules.length, schedulers: schedulers.length };
  const unattended = schedules.filter(({ name }) => !living.has(name));
  const help = helpUnattended(unattended);
  return [
    ok("schedulers", all, evidence),
    ...(await holds(manager)),
    ...schedulers.flatMap(quiet),
    ...unattended.map((schedule) => nobodyRuns(schedule, now, help)).sort((a, b) => firstOf(a) - firstOf(b)),
    ...schedules.flatMap((schedule) => [
      ...pauseOf(schedule, now),
      ...queueOf(schedule),
      ...differences(schedule, living.get(schedule.name) ?? []),
    ]),
  ];
}

/** A scheduler that is late: it may have been killed, and is shown for 15 s all the same. */
function quiet(scheduler: SchedulerView): Finding[] {
  const { by, heard, schedules } = scheduler;
  if (heard < LATE) return [];
  const text = `${whoIs(scheduler)}, which can run ${count(schedules.size, "schedule")}, was last heard ${ago(scheduler)}: it should be heard every 5 s`;
  const help =
    "a process that died counts until 15 s after it was last heard: look again then. Others take its ticks over";
  return [warning("schedulers", text, { help, evidence: { host: by.host, pid: by.pid, heard } })];
}

function whoIs({ by: { host, pid } }: SchedulerView): string {
  return `${host}, pid ${pid}`;
}

function ago({ heard }: SchedulerView): string {
  return `${elapsedText(heard)} ago`;
}

/** The pause that goes on. */
function pauseOf({ name, paused }: ScheduleView, now: number): Finding[] {
  if (paused === undefined || (paused.until !== undefined && paused.until <= now)) return [];
  const { by, at, reason, until } = paused;
  const end = until === undefined ? "" : ` until ${iso(until)}`;
  const text = `"${name}" is paused by ${by} since ${iso(at)}${end}: ${reason}`;
  return [
    warning("pauses", text, { help: `to end that: ${ojmCommand("resume", name)}`, evidence: { name, by, at, reason } }),
  ];
}

/** Ticks that wait. A few of them are what a queue is for. */
function queueOf({ name, waiting }: ScheduleView): Finding[] {
  const [first] = waiting;
  if (first === undefined || waiting.length < MANY) return [];
  const text = `${count(waiting.length, "tick")} of "${name}" wait for their run, the first since ${iso(first)}: its runs take longer than it has between its ticks, or something keeps it from running. From 100 on, ticks are skipped`;
  const help = `to see what keeps it: ${ojmCommand("why", name)}`;
  return [warning("queues", text, { help, evidence: { name, waiting: waiting.length, since: first } })];
}

/** The jobs that a person holds, with a schedule or without. */
async function holds(manager: JobManager): Promise<Finding[]> {
  return (await manager.locks()).flatMap((lock) => {
    const hold = holdOf(lock);
    if (hold === undefined) return [];
    const { name } = lock;
    const { reason, until, author: by = "somebody" } = hold;
    const text = `"${name}" is held by ${by} until ${iso(until)}: ${reason}`;
    const help = `to end that: ${ojmCommand("unlock", name, "--reason …")}`;
    return [warning("holds", text, { help, evidence: { name, by, until, reason } })];
  });
}

/** The same for all: it is printed once. */
function helpUnattended([first, ...more]: readonly ScheduleView[]): string {
  const name = first === undefined || more.length > 0 ? "NAME" : first.name;
  return `start the program that adds ${more.length > 0 ? "them" : "it"}: it decides on the ticks that it finds. If no program does any more: ${ojmCommand("schedules rm", name, "--reason …")}`;
}

function nobodyRuns(schedule: ScheduleView, now: number, help: string): Finding {
  const { name, decided } = schedule;
  const late = schedule.overdue(now, decided);
  const evidence = { name, overdue: late?.count ?? 0, ...(late && { first: late.at }) };
  return problem("schedulers", nobodyText(name, late, now), { help, evidence });
}

/** Since when ticks are overdue: only some findings are printed, and those that wait longest matter most. */
function firstOf({ evidence }: Finding): number {
  const { first } = evidence ?? {};
  return typeof first === "number" ? first : Number.MAX_SAFE_INTEGER;
}

/** That nobody runs a schedule, in one line of a terminal: ten of them must not hide the rest. */
export function nobodyText(
  name: string,
  late: { readonly count: number; readonly at: number } | undefined,
  now: number,
): string {
  const missed = late === undefined ? "" : `; ${count(late.count, "tick")} overdue for ${elapsedText(now - late.at)}`;
  return `no process runs "${name}"${missed}`;
}

/** Processes that have another definition than the one in the store, which counts. */
function differences({ name, hash }: ScheduleView, living: readonly SchedulerView[]): Finding[] {
  const others = living.filter(({ schedules }) => schedules.get(name) !== hash);
  if (others.length === 0) return [];
  const where = others.map(({ by }) => `${by.host}, pid ${by.pid}`);
  const evidence = { name, others: where };
  if (others.length < living.length) {
    const text = `${count(others.length, "process", "processes")} of ${living.length} have another definition of "${name}": ${where.slice(0, 5).join("; ")}`;
    const help = "restart them with the current code; while it is rolled out, this passes";
    return [warning("definitions", text, { help, evidence })];
  }
  const text = `all processes that know "${name}" have another definition than the store, so none runs it: ${where.slice(0, 5).join("; ")}`;
  const help =
    "start a process with the current code, or leave it: they take it over when nobody with it was seen for a minute";
  return [problem("definitions", text, { help, evidence })];
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
