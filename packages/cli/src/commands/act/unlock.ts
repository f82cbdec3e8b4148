import type { HeldLock } from "@ojm/core";
import { holdOf, visible } from "@ojm/core/internal";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { notFound } from "../../errors.js";
import { done } from "../../output/print.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { outlived } from "../exec/orphans.js";
import { isHost } from "../exec/predecessor.js";
import { author, reasonOf } from "./reason.js";

/** Takes a lock from its holder. */
export function execute(given: Given): Promise<number> {
  return takeLock(given, operandOf(given, "the name of a lock"), false);
}

/** Takes a lock from its holder; with `isHold`, only from a hold: a run may have the lock by now. */
export async function takeLock(given: Given, name: string, isHold: boolean): Promise<number> {
  const isDry = given.flags.has("dry-run");
  return withStore(given, async (manager) => {
    const lock = (await manager.heldLocks()).find((one) => one.name === name);
    if (lock === undefined) {
      // Rejects a misspelt name first: the error below would read as if its lock was free.
      await refuseUnknown(manager, name);
      throw notFound(`no process holds "${name}"${await outlived(manager, name)}`);
    }
    const { host, pid } = lock.holder;
    const hold = holdOf(lock);
    const since = `since ${new Date(lock.since).toISOString()}`;
    const who =
      hold === undefined
        ? `${host}, pid ${pid}, ${since}`
        : `the hold of ${visible(hold.author ?? host)} (${visible(hold.reason)}), ${since}`;
    if (isHold && hold === undefined) throw notFound(`"${name}" is not on hold: its lock is held by ${who}`);
    if (isDry) return done(given, `would take "${name}" from ${who}`, { dryRun: true, lock });
    const reason = await reasonOf(given, isHold ? `end the hold of ${name}` : `unlock ${name}`);
    // The fence names the lock that was shown: the next run may have the lock by now.
    const outcome = await manager.unlock(name, { reason, author: author(), fence: lock.fence });
    if (!outcome.unlocked) throw notFound(`${who} does not hold "${name}" any more: nothing was done`);
    const run = outcome.run === undefined ? "" : `. Its run ${outcome.run.id} is ${outcome.run.status}${proof(lock)}`;
    return done(given, `took "${name}" from ${who}${run}`, outcome);
  });
}

/** A free lock does not prove that the job function has stopped. Says so, and how to check. */
function proof({ holder: { host, pid } }: HeldLock): string {
  const proves = ". This does not prove that its job function has stopped";
  // Any program can write to a store, so a command that users copy must not contain text from it.
  if (!isHost(host) || pid <= 1) return proves;
  return `${proves}. Look on ${host}: ps -o pid,etime,args -p ${pid}`;
}
