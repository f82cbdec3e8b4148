import { existsSync } from "node:fs";
import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import { HOLD_TIME } from "@ojm/core/internal/operator";
import { checkNewName, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption, spanOption } from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { done, printError, wantsJson } from "../../output/print.js";
import { neverRan } from "../../store/find-run.js";
import { isKnown, queueNames, refuseTypo, scheduleNames } from "../../store/known-names.js";
import { filesOf, withStore } from "../../store/open.js";
import { orphansOf, sayHelp, sayOrphan } from "../exec/orphans.js";
import { author, reasonOf } from "./reason.js";
import { takeLock } from "./unlock.js";

function endHold(given: Given, name: string): Promise<number> {
  const [wrong] = ["until", "wait", "new"].filter((one) => given.flags.has(one) || given.values[one] !== undefined);
  if (wrong !== undefined) throw new CommandError(`ojm hold --end takes no --${wrong}`);
  return takeLock(given, name, true);
}

/** The items of a queue have locks of their own: a hold of its name would not stop them. */
async function refuseQueue(manager: JobManager, name: string): Promise<void> {
  if (!(await queueNames(manager)).has(name) || (await scheduleNames(manager)).has(name)) return;
  const pause = ojmCommand("queue pause", name, "--reason …");
  const text = `"${name}" is a queue, and a hold does not stop its items. To stop them: ${pause}`;
  throw new CommandError(`${text}. To hold other runs of this name: --new`);
}

/** Keeps all runs of a job from starting, or ends that. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a job");
  if (given.flags.has("end")) return endHold(given, name);
  // It would be ignored, and the job would be on hold.
  if (given.flags.has("dry-run")) throw new CommandError("ojm hold takes --dry-run only with --end");
  checkNewName(name);
  const until = futureOption(given, "until") ?? Date.now() + HOLD_TIME;
  const wait = spanOption(given, "wait") ?? 0;
  const ask = (): Promise<string> => reasonOf(given, `hold ${name}`);
  // A store that does not exist yet has no names to check, and is created only for a hold with a reason.
  const isNewStore = (await filesOf(given)).some((file) => !existsSync(file));
  const early = isNewStore ? await ask() : undefined;
  return withStore(
    given,
    async (manager) => {
      if (!given.flags.has("new")) {
        await refuseTypo(manager, name, " To hold it all the same: --new");
        await refuseQueue(manager, name);
      }
      // The lock of an orphaned command is free: only its note shows that it still works.
      const orphan = (await orphansOf(manager)).find((one) => one.name === name && one.isCertain);
      if (orphan !== undefined) throw new CommandError(`${sayOrphan(orphan)}. ${sayHelp(orphan)}`, EXIT.locked);
      const isNew = !(await isKnown(manager, name));
      const reason = early ?? (await ask());
      const lock = await manager.hold(name, { reason, author: author(), until, wait }).catch((error: unknown) => {
        const { code, message } = error as Error & { readonly code?: unknown };
        throw code === "LOCKED" ? new CommandError(`${message}. To wait for its end: --wait 10m`, EXIT.locked) : error;
      });
      if (isNew && !given.flags.has("new") && !wantsJson(given))
        printError(`ojm: ${await neverRan(manager, name)} It is held all the same.`);
      const end = new Date(until).toISOString();
      const text = `"${name}" is held until ${end}. To end it sooner: ${ojmCommand("hold", name, "--end --reason …")}`;
      return done(given, text, { ...lock, ...(isNew && { isNew }) });
      // A hold may come before the first run, which must find it.
    },
    { create: true },
  );
}
