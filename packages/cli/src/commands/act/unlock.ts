import type { JobManager } from "@ojm/core";
import { holdOf } from "@ojm/core/backend";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { notFound } from "../../errors.js";
import { isKnown, knownNames, meant } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { outlived } from "../exec/orphans.js";
import { done } from "./done.js";
import { author, reasonOf } from "./reason.js";

/** Takes a lock from its holder. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a lock");
  const isDry = given.flags.has("dry-run");
  const reason = isDry ? "" : await reasonOf(given, `unlock ${name}`);
  return withStore(given, async (manager) => {
    const lock = (await manager.locks()).find((one) => one.name === name);
    if (lock === undefined)
      throw notFound(`nobody holds "${name}"${await near(manager, name)}${await outlived(manager, name)}`);
    const { host, pid } = lock.holder;
    const hold = holdOf(lock);
    const since = `since ${new Date(lock.since).toISOString()}`;
    const who =
      hold === undefined
        ? `${host}, pid ${pid}, ${since}`
        : `the hold of ${hold.author ?? host} (${hold.reason}), ${since}`;
    if (isDry) return done(given, `would take "${name}" from ${who}`, { dryRun: true, lock });
    const outcome = await manager.unlock(name, { reason, author: author() });
    if (!outcome.unlocked) throw notFound(`nobody holds "${name}" any more`);
    const run = outcome.run === undefined ? "" : `. Its run ${outcome.run.id} is ${outcome.run.status}`;
    return done(given, `took "${name}" from ${who}${run}`, outcome);
  });
}

/** The lock that was meant, if nothing has this name. */
async function near(manager: JobManager, name: string): Promise<string> {
  if (await isKnown(manager, name)) return "";
  const sentence = await meant(name, await knownNames(manager));
  return sentence === "" ? "" : `.${sentence}`;
}
