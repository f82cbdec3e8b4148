import type { HeldLock, JobManager } from "@ojm/core";
import { holdOf } from "@ojm/core/internal";
import { type LockToTake, lockToTake } from "@ojm/core/internal/operator";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { notFound } from "../../errors.js";
import { refuseUnknown } from "../../store/known-names.js";
import { changeEach, type Names, namesOf } from "../../store/names.js";
import { withStore } from "../../store/open.js";
import { outlived } from "../exec/orphans.js";
import { isHost } from "../exec/predecessor.js";
import { author, reasonOf } from "./reason.js";

/** Takes a lock from its holder. */
export function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a lock");
  return withStore(given, async (manager) => takeLocks(given, manager, { names: [name], isOne: true, text: name }));
}

/** Ends holds, and takes no lock from a run. */
export function endHolds(given: Given): Promise<number> {
  return withStore(given, async (manager) => {
    const held = async (): Promise<string[]> =>
      (await manager.heldLocks()).filter((lock) => holdOf(lock) !== undefined).map(({ name }) => name);
    return takeLocks(given, manager, await namesOf(given, "the name of a job", held), true);
  });
}

/** Takes locks from their holders; with `isHold`, only from holds. */
async function takeLocks(given: Given, manager: JobManager, names: Names, isHold = false): Promise<number | undefined> {
  const only = names.isOne ? await lockOf(manager, names.text, isHold) : undefined;
  const each = async (name: string): Promise<FoundLock> => only ?? lockOf(manager, name, isHold);
  if (given.flags.has("dry-run"))
    return changeEach(given, names, async (name) => {
      const { lock, holder } = await each(name);
      return { text: `would take "${name}" from ${holder}`, item: { dryRun: true, lock } };
    });
  const reason = await reasonOf(given, isHold ? `end the hold of ${names.text}` : `unlock ${names.text}`);
  return changeEach(given, names, async (name) => {
    const { lock, holder, take } = await each(name);
    const { problem, ...outcome } = await take({ reason, author: author() });
    if (problem !== undefined) throw notFound(problem);
    const run = outcome.run === undefined ? "" : `. Its run ${outcome.run.id} is ${outcome.run.status}${proof(lock)}`;
    return { text: `took "${name}" from ${holder}${run}`, item: outcome };
  });
}

type FoundLock = Extract<LockToTake, { readonly problem?: undefined }>;

async function lockOf(manager: JobManager, name: string, isHold: boolean): Promise<FoundLock> {
  const found = await lockToTake(manager, name, isHold ? "hold" : "any");
  if (found.problem === undefined) return found;
  if (found.lock !== undefined) throw notFound(found.problem);
  // Rejects a misspelt name first: the error below would read as if its lock was free.
  await refuseUnknown(manager, name);
  throw notFound(`${found.problem}${await outlived(manager, name)}`);
}

/** A free lock does not prove that the job function has stopped. Says so, and how to check. */
function proof({ holder: { host, pid } }: HeldLock): string {
  const proves = ". This does not prove that its job function has stopped";
  // Any program can write to a store, so a command that users copy must not contain text from it.
  if (!isHost(host) || pid <= 1) return proves;
  return `${proves}. Look on ${host}: ps -o pid,etime,args -p ${pid}`;
}
