import type { JobManager } from "@ojm/core";
import { maintenanceText, matchesName, present, visible } from "@ojm/core/internal";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption } from "../../command-line/units.js";
import { notFound } from "../../errors.js";
import { done } from "../../output/print.js";
import { listed, queueNames, scheduleNames } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { author, reasonOf } from "../act/reason.js";
import { count } from "../look/doctor/finding.js";
import { endOfMaintenance } from "./text.js";

/** Starts a maintenance: no tick and no item of these names begins until its end. */
export async function execute(given: Given): Promise<number> {
  const names = optionalOperand(given) ?? "*";
  const until = futureOption(given, "until");
  const cancels = given.flags.has("cancel");
  return withStore(given, async (manager) => {
    const found = await affectedBy(manager, names);
    const { schedules, queues, runs } = found;
    // A misspelt pattern would pause nothing, and look as if it did.
    if (names !== "*" && schedules.length + queues.length === 0)
      throw notFound(`no schedule and no queue matches "${visible(names)}": nothing was done`);
    const what = `${count(schedules.length, "schedule")} and ${count(queues.length, "queue")}`;
    const now = runs.length === 0 ? "Nothing of them runs" : `${count(runs.length, "run")} of them in progress`;
    const then = runs.length === 0 ? "" : cancels ? ", asked to stop" : ": to stop them, --cancel";
    const text = `${what}: ${listed(new Set([...schedules, ...queues]))}. ${now}`;
    if (given.flags.has("dry-run"))
      return done(given, `would keep ${text}${then}`, { dryRun: true, names, ...found, ...present({ until }) });
    const reason = await reasonOf(given, `start a maintenance of ${names === "*" ? "everything" : names}`);
    const who = { reason, author: author() };
    const replaced = await manager.startMaintenance({ names, ...who, ...present({ until }) });
    const before = replaced === undefined ? "" : ` It replaces the ${maintenanceText(replaced)}.`;
    const stopped: string[] = [];
    if (cancels)
      // Read again: a run may have begun before the maintenance.
      for (const id of (await affectedBy(manager, names)).runs)
        if ((await manager.cancel(id, { ...who, wait: 0 })).requested) stopped.push(id);
    const asked = cancels ? ` ${count(stopped.length, "run")} asked to stop.` : runs.length === 0 ? "" : ` ${now}.`;
    const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
    return done(
      given,
      `maintenance of ${what}${end}: no tick and no item begins.${asked}${before} To end it: ${endOfMaintenance(names)}`,
      { names, ...who, ...found, ...present({ until, replaced }), ...(cancels && { stopped }) },
    );
  });
}

/** The schedules, queues, active runs and retry series that a maintenance of these names is about. */
export async function affectedBy(
  manager: JobManager,
  names: string,
): Promise<{ readonly schedules: string[]; readonly queues: string[]; readonly runs: string[] }> {
  const isMeant = (name: string): boolean => matchesName(names, name);
  const [schedules, queues, records, retries] = await Promise.all([
    scheduleNames(manager),
    queueNames(manager),
    manager.openRecords(),
    manager.retries(),
  ]);
  const runs = [
    ...records.map(({ name, id }) => ({ name, id })),
    ...retries.map(({ name, chain: id }) => ({ name, id })),
  ];
  return {
    schedules: [...schedules].filter(isMeant).sort(),
    queues: [...queues].filter(isMeant).sort(),
    runs: runs.filter(({ name }) => isMeant(name)).map(({ id }) => id),
  };
}
