import type { JobManager } from "@ojm/core";
import { isPattern, maintenanceText, matchesName, present, visible } from "@ojm/core/internal";
import { cancelUnder, runsUnder } from "@ojm/core/internal/operator";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption } from "../../command-line/units.js";
import { notFound } from "../../errors.js";
import { done } from "../../output/print.js";
import { listed, queueNames, scheduleNames } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { author, reasonOf } from "../act/reason.js";
import { count } from "../look/doctor/finding.js";
import { endOfMaintenance } from "./off.js";

/** Starts a maintenance: no tick and no item of these names begins until its end. */
export async function execute(given: Given): Promise<number> {
  const names = optionalOperand(given) ?? "*";
  const until = futureOption(given, "until");
  const cancels = given.flags.has("cancel");
  return withStore(given, async (manager) => {
    const found = await affectedBy(manager, names);
    const { schedules, queues, runs } = found;
    // A misspelt name would pause nothing, and look as if it did. A pattern also covers what comes later.
    if (!isPattern(names) && schedules.length + queues.length === 0)
      throw notFound(`no schedule and no queue has the name "${visible(names)}": nothing was done`);
    const what = sayCovered(names, schedules, queues);
    const now = runs.length === 0 ? "None of its runs is in progress" : `${count(runs.length, "run")} in progress`;
    if (given.flags.has("dry-run")) {
      const then = runs.length === 0 ? "" : cancels ? ", which would be asked to stop" : ": to stop them, --cancel";
      const text = `would start maintenance of ${what}. ${now}${then}`;
      return done(given, text, { dryRun: true, names, ...found, ...present({ until }) });
    }
    const reason = await reasonOf(given, `start a maintenance of ${names === "*" ? "everything" : names}`);
    const who = { reason, author: author() };
    const replaced = await manager.startMaintenance({ names, ...who, ...present({ until }) });
    const before = replaced === undefined ? "" : ` It replaces the ${maintenanceText(replaced)}.`;
    // Read again: a run may have begun before the maintenance.
    const stopped = cancels ? await cancelUnder(manager, names, who) : undefined;
    const then = stopped === undefined ? now : `${count(stopped.length, "run")} asked to stop`;
    const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
    return done(
      given,
      `no tick and no item begins${end}: maintenance of ${what}. ${then}.${before} To end it: ${endOfMaintenance(names)}`,
      { names, ...who, ...found, ...present({ until, replaced, stopped }) },
    );
  });
}

/** The schedules, queues, active runs and retry series that a maintenance of these names is about. */
async function affectedBy(
  manager: JobManager,
  names: string,
): Promise<{ readonly schedules: string[]; readonly queues: string[]; readonly runs: string[] }> {
  const [schedules, queues, runs] = await Promise.all([
    scheduleNames(manager),
    queueNames(manager),
    runsUnder(manager, names),
  ]);
  const meant = (all: Iterable<string>): string[] => [...all].filter((name) => matchesName(names, name)).sort();
  return { schedules: meant(schedules), queues: meant(queues), runs };
}

/** Of what a maintenance is. */
function sayCovered(names: string, schedules: readonly string[], queues: readonly string[]): string {
  const parts = [
    ...(schedules.length > 0 ? [count(schedules.length, "schedule")] : []),
    ...(queues.length > 0 ? [count(queues.length, "queue")] : []),
  ];
  if (parts.length > 0) return `${parts.join(" and ")}, ${listed(new Set([...schedules, ...queues]))}`;
  return `"${visible(names)}", which matches no schedule and no queue now: it covers those that come later`;
}
