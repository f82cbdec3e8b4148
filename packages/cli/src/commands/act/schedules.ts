import type { JobManager } from "@ojm/core";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { CommandError } from "../../errors.js";
import { done } from "../../output/print.js";
import { refuseUnknownSchedule, unknownSchedule } from "../../store/known-names.js";
import { withScheduler } from "../../store/open.js";
import { count } from "../look/doctor/finding.js";
import { author, reasonOf } from "./reason.js";

/** Removes a schedule that no program adds any more. */
export async function execute(given: Given): Promise<number> {
  const [verb, ...operands] = given.operands;
  if (verb !== "rm") {
    const is = verb === undefined ? "" : `, not "${verb}"`;
    throw new CommandError(`ojm schedules takes rm${is}: ojm schedules rm NAME. To see all schedules: ojm next`);
  }
  const asked: Given = { ...given, operands };
  const name = operandOf(asked, "the name of a schedule");
  return withScheduler(asked, async (scheduler, manager) => {
    const what = `remove the schedule ${name}`;
    const reason = await reasonOf(asked, what, () => refuseUnknownSchedule(manager, name));
    const processes = await countRunners(manager, name);
    const by = author();
    if (!(await scheduler.remove(name, { reason, author: by }))) throw await unknownSchedule(name);
    const text = `the schedule "${name}" is removed${sayRunners(processes)}`;
    return done(given, text, { name, removed: true, reason, by, processes });
  });
}

/**
 * A warning if living processes have the schedule: their programs add it again when they start, which would
 * otherwise be a surprise after a deploy.
 */
function sayRunners(processes: number): string {
  if (processes === 0) return "";
  const [have, add] =
    processes === 1
      ? ["that has it does not run it any more", "its program adds it again when it starts"]
      : ["that have it do not run it any more", "their programs add it again when they start"];
  return `. ${count(processes, "process", "processes")} ${have}; ${add}`;
}

/** How many living processes have a schedule. */
export async function countRunners(manager: JobManager, name: string): Promise<number> {
  return (await runnersOf(manager)).get(name) ?? 0;
}

/** How many living processes have each schedule, by name. */
export async function runnersOf(manager: JobManager): Promise<ReadonlyMap<string, number>> {
  const { schedulersIn } = await import("@ojm/schedule");
  const processes = new Map<string, number>();
  for await (const { schedules } of schedulersIn(manager))
    for (const name of schedules.keys()) processes.set(name, (processes.get(name) ?? 0) + 1);
  return processes;
}
