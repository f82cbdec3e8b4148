import { userInfo } from "node:os";
import type { JobManager } from "@ojm/core";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { spanOption, timeOption } from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { tell } from "../../output/tell.js";
import { neverRan } from "../../store/find-run.js";
import { withStore } from "../../store/open.js";
import { done } from "./done.js";
import { reasonOf } from "./reason.js";

const DAY = 86_400_000;

/** Keeps all runs of a job away. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a job");
  const until = timeOption(given, "until", Date.now(), 1) ?? Date.now() + DAY;
  const wait = spanOption(given, "wait") ?? 0;
  const reason = await reasonOf(given, `hold ${name}`);
  return withStore(given, async (manager) => {
    const lock = await manager.hold(name, { reason, author: author(), until, wait }).catch((error: unknown) => {
      throw isRunning(error)
        ? new CommandError(`${error.message}. To wait for its end: --wait 10m`, EXIT.locked)
        : error;
    });
    if (!(await isKnown(manager, name))) tell(`ojm: ${await neverRan(manager, name)} It is held all the same.`);
    const end = new Date(until).toISOString();
    return done(given, `"${name}" is held until ${end}. To end it sooner: ojm unlock ${name} --reason …`, lock);
  });
}

function isRunning(error: unknown): error is Error {
  return error instanceof Error && (error as { readonly code?: unknown }).code === "LOCKED";
}

/** Whether a name has a run or a schedule: another one may be misspelt, and the job that is meant goes on. */
async function isKnown(manager: JobManager, name: string): Promise<boolean> {
  for await (const _ of manager.history({ name, limit: 1 })) return true;
  const { schedulesIn } = await import("@ojm/schedule");
  for await (const schedule of schedulesIn(manager)) if (schedule.name === name) return true;
  return false;
}

/** Who sits at the keyboard. */
export function author(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user may have no name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
