import type { RunRecord } from "@ojm/core";
import type { ScheduleTick } from "@ojm/schedule";
import type { JobStock } from "../../scene/events.js";
import { EVERY, schedules } from "../../scene/jobs.js";
import { isWhole } from "../excuse.js";
import type { Evidence, Violation } from "../verdict.js";

/**
 * Each tick of a schedule, from the first to the last, has exactly one outcome, or waits for its run. A tick
 * that was run has exactly one first attempt, and no other tick has one.
 */
export function judgeTicks({ scene, stock, runs }: Evidence): Violation[] {
  if (stock?.jobs === undefined || !isWhole(scene)) return [];
  const { now, ticks, records, cursors } = stock.jobs;
  const begun = new Set(runs.flatMap(({ record }) => record ?? []));
  return Object.keys(schedules).flatMap((name) => {
    // An attempt that was handed over is made again as the same attempt.
    const isFirst = ({ attempt = 1, chain, id }: RunRecord): boolean => attempt === 1 && (chain ?? id) === id;
    const own = records.filter((record) => record.schedule === name && isFirst(record));
    return [
      ...eachOnce(name, ticks[name] ?? [], cursors[name], now, scene.isSetBack),
      ...firstAttempts(name, ticks[name] ?? [], own, scene.kind.apart),
      ...withoutRecord(own, begun),
    ];
  });
}

const HALF_HOUR = 1_800_000;

const iso = (at: number): string => new Date(at).toISOString().slice(11);

function eachOnce(
  name: string,
  ticks: readonly ScheduleTick[],
  { at: decided, waiting: waits = [] }: JobStock["cursors"][string] = { at: 0 },
  now: number,
  isSetBack: boolean,
): Violation[] {
  const violations: Violation[] = [];
  const waiting = new Set(waits);
  const wrong = (text: string): void => void violations.push({ law: "one outcome a tick", text });
  if (ticks.length === 0 && waiting.size === 0 && !isSetBack)
    wrong(`no tick of ${name} has an outcome, and none waits`);
  // A clock that was set back by an hour decides on ticks before the start of the schedule, and on none in
  // between.
  const from = isSetBack ? (ticks.at(-1)?.at ?? 0) - HALF_HOUR : 0;
  // The scheduler with that clock sets the cursor back. The ticks after the cursor are decided again.
  const last = isSetBack ? Math.min(now, decided) : now;
  let next = ticks[0]?.at ?? 0;
  let before: ScheduleTick | undefined;
  for (const tick of ticks) {
    const { at, until = at, count = 1, outcome } = tick;
    for (; next < at && waiting.has(next); next += EVERY);
    // A tick that is due again by a clock that was set back waits until its claim finds the outcome.
    if (waiting.has(at) && !isSetBack) wrong(`the tick ${iso(at)} of ${name} waits, and has an outcome: ${outcome}`);
    // A tick that a clock put an hour ahead made wait is not due yet: see `setBack` in decide.ts of schedule.
    if (at > next && next > from && next <= last)
      wrong(
        `the ticks of ${name} from ${iso(next)} to before ${iso(at)} have no outcome; its cursor is at ${iso(decided)}`,
      );
    if (at < next)
      wrong(`the tick ${iso(at)} of ${name} has two outcomes: ${JSON.stringify(before)} and ${JSON.stringify(tick)}`);
    if ((until - at) / EVERY + 1 !== count) wrong(`${name} counts ${count} ticks from ${iso(at)} to ${iso(until)}`);
    next = until + EVERY;
    before = tick;
  }
  return violations;
}

/**
 * With two stores, the start time of a record may be taken, so that it gets a later one. Its tick identifies
 * it.
 */
function firstAttempts(
  name: string,
  ticks: readonly ScheduleTick[],
  own: readonly RunRecord[],
  isApart: boolean,
): Violation[] {
  const violations: Violation[] = [];
  const wrong = (text: string): void => void violations.push({ law: "one outcome a tick", text });
  const outcomes = new Map(ticks.map((tick) => [tick.at, tick]));
  const ids = new Map<number, string[]>();
  for (const { tick = 0, id } of own) ids.set(tick, [...(ids.get(tick) ?? []), id]);
  for (const { at, run, outcome } of ticks) {
    const [id, second] = ids.get(at) ?? [];
    if (outcome !== "run") continue;
    if (second !== undefined) wrong(`the tick ${iso(at)} of ${name} has two first attempts: ${id}, ${second}`);
    else if (id === undefined) wrong(`the tick ${iso(at)} of ${name} was run as ${run}, which has no record`);
    else if (id !== run && !isApart)
      wrong(`the tick ${iso(at)} of ${name} was run as ${run}, and by its record as ${id}`);
  }
  for (const { tick = 0, id, status } of own) {
    const { outcome = "nothing", reason } = outcomes.get(tick) ?? {};
    if (outcome === "run" || (isApart && reason === "not-recorded")) continue;
    wrong(`${id} (${status}) is for the tick ${iso(tick)} of ${name}, whose outcome is ${outcome} ${reason ?? ""}`);
  }
  return violations;
}

/** A run that completed had a body. */
function withoutRecord(own: readonly RunRecord[], begun: ReadonlySet<string>): Violation[] {
  const bodiless = own.filter(({ id, status }) => status === "completed" && !begun.has(id));
  return bodiless.map(({ id }) => ({ law: "one outcome a tick", text: `${id} completed, and no body of it began` }));
}
