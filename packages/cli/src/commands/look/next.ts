import { present, visible } from "@ojm/core/internal";
import type { CheckedDefinition, NextTick } from "@ojm/schedule";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption } from "../../command-line/units.js";
import { type Column, printItems } from "../../output/items.js";
import { printError } from "../../output/print.js";
import { sayTime } from "../../output/times.js";
import { withScheduler } from "../../store/open.js";
import { noteOf } from "./unattended.js";

const LIMIT = 10;

/** A coming tick. */
export interface JobTick extends NextTick {
  readonly name: string;
  readonly timeZone: string;
  /** Set if no living process runs the schedule. */
  readonly unattended?: true;
}

/** Shows the coming ticks of a schedule, or the next one of each, the soonest first. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  const asked = countOption(given, "limit");
  const limit = asked ?? LIMIT;
  // A job that runs each second would fill the list and hide one that runs at night.
  const ofEach = name === undefined && asked === undefined ? 1 : limit;
  const say = sayTime(given);
  const missed = new Map<string, CheckedDefinition["missed"]>();
  const columns: Column<JobTick>[] = [
    { title: "NEXT", cell: ({ due }) => say(due) },
    { title: "IN ITS ZONE", rank: 3, cell: ({ at, timeZone }) => inZone(at, timeZone) },
    { title: "JOB", rank: 1, cut: "name", cell: (tick) => tick.name },
    { title: "NOTE", rank: 2, cell: (tick) => noteOf(tick, lateOf(missed.get(tick.name))) },
  ];
  return withScheduler(given, async (scheduler, manager) => {
    const { attendanceIn } = await import("@ojm/schedule/operator");
    const unattended = await attendanceIn(manager);
    const coming: JobTick[] = [];
    let isKnown = name === undefined;
    for await (const { name: one, definition, hash, next } of scheduler.schedules({
      limit: ofEach,
      ...present({ name }),
    })) {
      isKnown = true;
      const { timeZone = "UTC" } = definition;
      missed.set(one, definition.missed);
      const alone = unattended({ name: one, hash }) && ({ unattended: true } as const);
      coming.push(...next.map((tick) => ({ name: one, timeZone, ...tick, ...alone })));
    }
    const { ScheduleError, schedulesIn } = await import("@ojm/schedule");
    for await (const { name: one, definition } of schedulesIn(manager)) {
      if ((name !== undefined && name !== one) || definition() !== undefined) continue;
      isKnown = true;
      printError(
        `ojm: the schedule "${visible(one)}" has options that this version of ojm does not know: its ticks are not shown`,
      );
    }
    if (!isKnown) {
      throw new ScheduleError("UNKNOWN", `this store has no schedule "${name}"`);
    }
    coming.sort((a, b) => a.due - b.due);
    await printItems(given, ofEach === limit ? coming.slice(0, limit) : coming, columns, "no schedules");
  });
}

/** What happens to the tick if no process runs it by then. */
function lateOf(missed: CheckedDefinition["missed"] = { run: "latest", downtime: false }): string {
  const { run, downtime = true } = typeof missed === "string" ? { run: missed } : missed;
  if (run === "none" || !downtime) return "missed unless a process starts";
  return run === "all" ? "run once a process starts" : "run once a process starts, if it is still the newest tick";
}

function inZone(at: number, timeZone: string): string {
  return `${new Date(at).toLocaleString("sv-SE", { timeZone })} ${timeZone}`;
}
