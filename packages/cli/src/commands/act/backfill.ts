import { ojmCommand } from "@ojm/core/internal";
import type { Backfill, BackfillProgress, Scheduler } from "@ojm/schedule";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { timeOption } from "../../command-line/units.js";
import { CommandError, notFound } from "../../errors.js";
import { type Column, printItems } from "../../output/items.js";
import { done } from "../../output/print.js";
import { sayTime } from "../../output/times.js";
import { refuseUnknownSchedule } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";
import { author, reasonOf } from "./reason.js";

/** Runs the ticks of a past time range, shows the progress, or stops it. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  const [isStatus, isStop] = [given.flags.has("status"), given.flags.has("stop")];
  const asks = ["from", "to"].some((option) => given.values[option] !== undefined) || given.flags.has("again");
  if (Number(isStatus) + Number(isStop) + Number(asks) > 1)
    throw new CommandError("ojm backfill takes either --status, or --stop, or a time range by --from");
  if (isStatus) return withScheduler(given, (scheduler) => status(given, scheduler, name));
  return isStop ? stop(given, name) : ask(given, name);
}

async function ask(given: Given, name: string): Promise<number> {
  const now = Date.now();
  const from = timeOption(given, "from", now, -1);
  if (from === undefined) throw new CommandError("ojm backfill needs --from: the first tick to run");
  const to = timeOption(given, "to", now, -1);
  if (from >= (to ?? now)) throw new CommandError("--from must lie before --to: no tick lies between them");
  return withScheduler(given, async (scheduler, manager) => {
    const what = `run the ticks of ${name} again`;
    const reason = await reasonOf(given, what, () => refuseUnknownSchedule(manager, name));
    const again = given.flags.has("again");
    const options = { from, reason, author: author(), again, ...(to !== undefined && { to }) };
    const asked = await scheduler.backfill(name, options);
    const isAlone = asked.toRun > 0 && (await scheduler.why(name)).some(({ code }) => code === "unattended");
    const hint = isAlone ? ` No living process has this schedule: the ticks wait for one.` : "";
    return done(given, `${sayAsked(name, asked)}${hint}`, asked);
  });
}

function sayAsked(name: string, { ticks, ran, toRun }: Backfill): string {
  if (ticks === 0) return `"${name}" has no tick in that time: there is nothing to do`;
  if (toRun === 0) return `all ticks of "${name}" in that time were run already. To run them again: --again`;
  const before = ran === 0 ? "" : ` ${ran} of ${ticks} were run before.`;
  const which = toRun === 1 ? "1 tick" : `${toRun} ticks`;
  return `${which} of "${name}" will be run, one after the other.${before} Its progress: ${ojmCommand("backfill", name, "--status")}`;
}

async function status(given: Given, scheduler: Scheduler, name: string): Promise<void> {
  await scheduler.words(name);
  const say = sayTime(given);
  const columns: Column<BackfillProgress>[] = [
    { title: "FROM", cell: ({ from }) => say(from) },
    { title: "TO", cell: ({ to }) => say(to) },
    { title: "DONE", cell: sayProgress },
    { title: "LAST RUN", cell: ({ run }) => run },
    { title: "BY", cell: ({ by }) => by },
    { title: "REASON", cell: ({ reason }) => reason },
  ];
  const all: BackfillProgress[] = [];
  for await (const one of scheduler.backfills(name)) all.push(one);
  const none = `no backfill of "${name}" is running. The outcome of its ticks: ${ojmCommand("ticks", name)}`;
  await printItems(given, all, columns, none);
}

async function stop(given: Given, name: string): Promise<number> {
  return withScheduler(given, async (scheduler) => {
    await scheduler.words(name);
    const none = notFound(`no backfill of "${name}" is running`);
    const reason = await reasonOf(given, `stop the backfill of ${name}`, async () => {
      for await (const _ of scheduler.backfills(name)) return;
      throw none;
    });
    const stopped = await scheduler.stopBackfills(name, { reason, author: author() });
    if (stopped.length === 0) throw none;
    const text = stopped.map(
      (one) => `the backfill of "${name}" by ${one.by} is stopped, after ${sayProgress(one)} ticks`,
    );
    return done(given, text.join("\n"), stopped);
  });
}

function sayProgress({ ticks, remaining }: BackfillProgress): string {
  return `${Math.max(0, ticks - remaining)} of ${ticks}`;
}
