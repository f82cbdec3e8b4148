import type { JobManager } from "@ojm/core";
import type { Scheduler, ScheduleTick } from "@ojm/schedule";
import type { OverdueTick } from "@ojm/schedule/operator";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, rangeOptions } from "../../command-line/units.js";
import { colorOf } from "../../output/color.js";
import { hostColumn } from "../../output/hosts.js";
import { type Column, printItems, tellMore } from "../../output/items.js";
import { type SayTime, sayTime } from "../../output/times.js";
import { withScheduler } from "../../store/open.js";

const LIMIT = 20;

/** The outcomes that `--not-run` shows. */
const NOT_RUN: readonly Tick["outcome"][] = ["skipped", "missed", "refused", "overdue", "waiting"];

/** A tick, or several. Overdue and waiting ticks have no decision yet. */
type Tick = ScheduleTick | OverdueTick;

/** A tick, or several, with the reason as text. */
export interface ShownTick extends Omit<ScheduleTick, "outcome"> {
  readonly outcome: Tick["outcome"];
  /** Why it was not run, as text; for a tick that a backfill ran, its outcome before the backfill. */
  readonly text?: string;
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
    const { tickText } = await import("@ojm/schedule/operator");
    const found = [...(await overdue(manager, name, wanted)), ...(await decided(scheduler, name, wanted))];
    const waits = found.some(({ outcome }) => outcome === "waiting");
    const reasons = waits ? await scheduler.why(name) : [];
    const all = found.map((tick): ShownTick => {
      const text = tickText(tick, reasons);
      return text === undefined ? tick : { ...tick, text };
    });
    // The outcomes of a removed schedule are still stored.
    if (all.length === 0) await scheduler.words(name);
    const shown = all.slice(0, wanted.limit);
    await printItems(given, shown, columns(sayTime(given), shown), "no such ticks");
    tellMore(given, all.length > wanted.limit, wanted.limit);
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
  const { limit, isWanted, ...range } = wanted;
  const found: Tick[] = [];
  for await (const tick of scheduler.ticks(name, range)) {
    if (!isWanted(tick.outcome)) continue;
    found.push(tick);
    // Read one more, to know whether there are more.
    if (found.length > limit) break;
  }
  return found;
}

/** The ticks that no process has decided on. */
async function overdue(manager: JobManager, name: string, wanted: Wanted): Promise<Tick[]> {
  const { from = 0, to = Number.POSITIVE_INFINITY, isWanted } = wanted;
  if (!isWanted("overdue")) return [];
  const { schedulesIn } = await import("@ojm/schedule");
  const { overdueEntry, overdueTicks } = await import("@ojm/schedule/operator");
  for await (const schedule of schedulesIn(manager)) {
    if (schedule.name !== name) continue;
    const range = { after: Math.max(schedule.decided, from - 1), by: to - 1 };
    return overdueEntry(name, overdueTicks(schedule, Date.now(), range));
  }
  return [];
}

/** A row for several ticks needs the columns TO and TICKS: a range in one column would hide the reason. */
function columns(say: SayTime, ticks: readonly ShownTick[]): Column<ShownTick>[] {
  const ofRanges: Column<ShownTick>[] = [
    { title: "TO", rank: 5, cell: ({ until }) => say(until) },
    { title: "TICKS", rank: 3, cell: sayCount },
  ];
  return [
    { title: "TICK", cell: ({ at }) => say(at) },
    ...(ticks.some(({ until }) => until !== undefined) ? ofRanges : []),
    { title: "OUTCOME", rank: 1, cell: ({ outcome }) => outcome, color: ({ outcome }) => colorOf(outcome) },
    { title: "WHY", rank: 2, cut: "text", cell: ({ text }) => text },
    { title: "RUN", rank: 4, cut: "name", cell: ({ run }) => run },
    { title: "DECIDED", rank: 6, cell: (tick) => say(tick.decided) },
    ...hostColumn(ticks, 5.5, ({ by }) => by?.host),
  ];
}

function sayCount({ until, count, more }: ShownTick): string {
  if (until === undefined) return "";
  return count === undefined ? "all" : `${more === true ? "≥ " : ""}${count}`;
}
