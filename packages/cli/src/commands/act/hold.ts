import { existsSync } from "node:fs";
import type { JobManager } from "@ojm/core";
import { isPattern, ojmCommand } from "@ojm/core/internal";
import { HOLD_TIME } from "@ojm/core/internal/operator";
import { checkNewName, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption, spanOption } from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { printError, wantsJson } from "../../output/print.js";
import { neverRan } from "../../store/find-run.js";
import { isKnown, knownNames, queueNames, refuseTypo, scheduleNames } from "../../store/known-names.js";
import { changeEach, type Done, namesOf, sameNames } from "../../store/names.js";
import { filesOf, withStore } from "../../store/open.js";
import { orphansOf, sayHelp, sayOrphan } from "../exec/orphans.js";
import { author, reasonOf } from "./reason.js";
import { endHolds } from "./unlock.js";

/** The items of a queue have locks of their own: a hold of its name would not stop them. */
async function refuseQueue(manager: JobManager, name: string): Promise<void> {
  if (!(await queueNames(manager)).has(name) || (await scheduleNames(manager)).has(name)) return;
  const pause = ojmCommand("queue pause", name, "--reason …");
  const text = `"${name}" is a queue, and a hold does not stop its items. To stop them: ${pause}`;
  throw new CommandError(`${text}. To hold other runs of this name: --new`);
}

/** Keeps all runs of jobs from starting, or ends that. */
export async function execute(given: Given): Promise<number> {
  if (given.flags.has("end")) {
    const [wrong] = ["until", "wait", "new"].filter((one) => given.flags.has(one) || given.values[one] !== undefined);
    if (wrong !== undefined) throw new CommandError(`ojm hold --end takes no --${wrong}`);
    return endHolds(given);
  }
  if (given.operands.length === 0) operandOf(given, "the name of a job");
  for (const name of given.operands) checkNewName(name);
  const [isDry, isNewName] = [given.flags.has("dry-run"), given.flags.has("new")];
  const until = futureOption(given, "until") ?? Date.now() + HOLD_TIME;
  const end = new Date(until).toISOString();
  const wait = spanOption(given, "wait") ?? 0;
  // A store that does not exist yet has no names to check, and is created only for a hold with a reason.
  const isNewStore = (await filesOf(given)).some((file) => !existsSync(file));
  const isPlain = !given.operands.some(isPattern);
  const early =
    isNewStore && isPlain && !isDry ? await reasonOf(given, `hold ${given.operands.join(", ")}`) : undefined;
  return withStore(
    given,
    async (manager) => {
      const names = await namesOf(given, "the name of a job", () => knownNames(manager));
      const check = async (name: string): Promise<void> => {
        if (!isNewName) {
          await refuseTypo(manager, name, " To hold it all the same: --new");
          await refuseQueue(manager, name);
        }
        // The lock of an orphaned command is free: only its note shows that it still works.
        const orphan = (await orphansOf(manager)).find((one) => one.name === name && one.isCertain);
        if (orphan !== undefined) throw new CommandError(`${sayOrphan(orphan)}. ${sayHelp(orphan)}`, EXIT.locked);
      };
      if (isDry)
        return changeEach(given, names, async (name) => {
          await check(name);
          const lock = (await manager.heldLocks()).find((one) => one.name === name);
          const when = lock === undefined ? "" : ", once its lock is free. Now it is not: --wait says how long to wait";
          const text = `would prevent all runs of "${name}" until ${end}${when}`;
          return { text, item: { name, dryRun: true, until, ...(lock && { lock }) } };
        });
      if (names.isOne) await check(names.text);
      const reason = early ?? (await reasonOf(given, `hold ${names.text}`));
      const hold = async (name: string): Promise<Done> => {
        if (!names.isOne) await check(name);
        const isNew = !(await isKnown(manager, name));
        const lock = await manager.hold(name, { reason, author: author(), until, wait }).catch((error: unknown) => {
          const { code, message } = error as Error & { readonly code?: unknown };
          throw code === "LOCKED"
            ? new CommandError(`${message}. To wait for its end: --wait 10m`, EXIT.locked)
            : error;
        });
        if (isNew && !isNewName && !wantsJson(given))
          printError(`ojm: ${await neverRan(manager, name)} It is held all the same.`);
        const sooner = names.isOne ? `. To end it sooner: ${ojmCommand("hold", name, "--end --reason …")}` : "";
        return { text: `"${name}" is held until ${end}${sooner}`, item: { ...lock, ...(isNew && { isNew }) } };
      };
      const hint = `To end these holds sooner: ${sameNames("hold", given, "--end --reason …")}`;
      return changeEach(given, names, hold, hint);
      // A hold may come before the first run, which must find it.
    },
    { create: isPlain && !isDry },
  );
}
