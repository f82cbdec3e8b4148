import type { JobManager } from "@ojm/core";
import type { Scheduler, ScheduleTick } from "@ojm/schedule";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, rangeOptions } from "../../command-line/units.js";
import { colorOf } from "../../output/color.js";
import { type Column, printItems, tellMore } from "../../output/items.js";
import { type SayTime, sayTime } from "../../output/times.js";
import { withScheduler } from "../../store/open.js";

const LIMIT = 20;

/** What `--not-run` shows. */
const NOT_RUN: readonly Tick["outcome"][] = ["skipped", "missed", "refused", "overdue", "waiting"];

const WAITS = "it waits for its run, behind those before it";

/** A living process decides on a tick within moments: only after this time, in ms, it is overdue. */
const GRACE = 5_000;

/** A tick, or several: overdue ones and those that wait have no decision. */
interface Tick extends Partial<Omit<ScheduleTick, "outcome">> {
  readonly schedule: string;
  readonly at: number;
  readonly outcome: ScheduleTick["outcome"] | "overdue";
  readonly why?: string;
}

interface Wanted {
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  readonly isWanted: (outcome: Tick["outcome"]) => boolean;
}

/** Shows the outcome of each tick of a schedule, newest first. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  const wanted = wantedOf(given);
  return withScheduler(given, async (scheduler, manager) => {
    const all = [...(await overdue(manager, name, wanted)), ...(await decided(scheduler, name, wanted))];
    // The outcomes of a schedule that was removed are still there.
    if (all.length === 0) await scheduler.words(name);
    const shown = all.slice(0, wanted.limit);
    await printItems(given, shown, columns(sayTime(given), shown), "no such ticks");
    tellMore(given, all.length > wanted.limit, wanted.limit);
    return undefined;
  });
}

function wantedOf(given: Given): Wanted {
  const asked = new Set<string>(["skipped", "missed"].filter((flag) => given.flags.has(flag)));
  if (given.flags.has("not-run")) for (const outcome of NOT_RUN) asked.add(outcome);
  return {
    limit: countOption(given, "limit") ?? LIMIT,
    isWanted: (outcome) => asked.size === 0 || asked.has(outcome),
    ...rangeOptions(given),
  };
}

async function decided(scheduler: Scheduler, name: string, wanted: Wanted): Promise<Tick[]> {
  const { whyBackfilled, whyNotRun } = await import("@ojm/schedule");
  const { from, to, limit, isWanted } = wanted;
  const found: Tick[] = [];
  for await (const tick of scheduler.ticks(name, {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  })) {
    if (!isWanted(tick.outcome)) continue;
    const why = tick.outcome === "waiting" ? WAITS : (whyNotRun(tick) ?? whyBackfilled(tick));
    found.push({ ...tick, ...(why !== undefined && { why }) });
    // One more tells that there are more.
    if (found.length > limit) break;
  }
  return found;
}

/** The ticks that are due and that no process has decided on. */
async function overdue(manager: JobManager, name: string, wanted: Wanted): Promise<Tick[]> {
  const { from = 0, to = Number.POSITIVE_INFINITY, isWanted } = wanted;
  if (!isWanted("overdue")) return [];
  const { schedulesIn } = await import("@ojm/schedule");
  for await (const schedule of schedulesIn(manager)) {
    if (schedule.name !== name) continue;
    const late = schedule.overdue(Math.min(Date.now() - GRACE, to - 1), Math.max(schedule.decided, from - 1));
    if (late === undefined) return [];
    const { at, until, count } = late;
    const why = "no process has decided on it so far";
    return [{ schedule: name, at, outcome: "overdue", why, ...(count > 1 && { until, count }) }];
  }
  return [];
}

/** Rows of several ticks have columns of their own: the text of both ends leaves no room for the reason. */
function columns(say: SayTime, ticks: readonly Tick[]): Column<Tick>[] {
  const ofRanges: Column<Tick>[] = [
    { title: "TO", rank: 5, cell: ({ until }) => say(until) },
    { title: "TICKS", rank: 3, cell: sayCount },
  ];
  return [
    { title: "TICK", cell: ({ at }) => say(at) },
    ...(ticks.some(({ until }) => until !== undefined) ? ofRanges : []),
    { title: "OUTCOME", rank: 1, cell: ({ outcome }) => outcome, color: ({ outcome }) => colorOf(outcome) },
    { title: "WHY", rank: 2, cut: "text", cell: ({ why }) => why },
    { title: "RUN", rank: 4, cut: "name", cell: ({ run }) => run },
    { title: "DECIDED", rank: 6, cell: (tick) => say(tick.decided) },
  ];
}

function sayCount({ until, count, more }: Tick): string {
  if (until === undefined) return "";
  return count === undefined ? "all" : `${more === true ? "≥ " : ""}${count}`;
}
