import type { HeldLock } from "@ojm/core";
import { lockToTake } from "@ojm/core/internal/operator";
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

/** Takes a lock from its holder; with `isHold`, only from a hold. */
export async function takeLock(given: Given, name: string, isHold: boolean): Promise<number> {
  const isDry = given.flags.has("dry-run");
  return withStore(given, async (manager) => {
    const found = await lockToTake(manager, name, isHold ? "hold" : "any");
    if (found.problem !== undefined) {
      if (found.lock !== undefined) throw notFound(found.problem);
      // Rejects a misspelt name first: the error below would read as if its lock was free.
      await refuseUnknown(manager, name);
      throw notFound(`${found.problem}${await outlived(manager, name)}`);
    }
    const { lock, holder } = found;
    if (isDry) return done(given, `would take "${name}" from ${holder}`, { dryRun: true, lock });
    const reason = await reasonOf(given, isHold ? `end the hold of ${name}` : `unlock ${name}`);
    const { problem, ...outcome } = await found.take({ reason, author: author() });
    if (problem !== undefined) throw notFound(problem);
    const run = outcome.run === undefined ? "" : `. Its run ${outcome.run.id} is ${outcome.run.status}${proof(lock)}`;
    return done(given, `took "${name}" from ${holder}${run}`, outcome);
  });
}

/** A free lock does not prove that the job function has stopped. Says so, and how to check. */
function proof({ holder: { host, pid } }: HeldLock): string {
  const proves = ". This does not prove that its job function has stopped";
  // Any program can write to a store, so a command that users copy must not contain text from it.
  if (!isHost(host) || pid <= 1) return proves;
  return `${proves}. Look on ${host}: ps -o pid,etime,args -p ${pid}`;
}
