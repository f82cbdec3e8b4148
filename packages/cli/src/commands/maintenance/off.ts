import { maintenanceText, matchesName, ojmCommand, present } from "@ojm/core/internal";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { notFound } from "../../errors.js";
import { done } from "../../output/print.js";
import { scheduleNames } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { whyOf } from "../act/reason.js";

/** Ends a maintenance. */
export async function execute(given: Given): Promise<number> {
  const names = optionalOperand(given);
  return withStore(given, async (manager) => {
    const ended = await manager.endMaintenance({ ...whyOf(given), ...present({ names }) });
    if (ended.length === 0) throw notFound(names === undefined ? "no maintenance" : `no maintenance of "${names}"`);
    const texts = ended.map((one) => `ended the ${maintenanceText(one)}`);
    const schedules = [...(await scheduleNames(manager))];
    if (schedules.some((name) => ended.some((one) => matchesName(one.names, name))))
      texts.push("Late ticks are decided now, by the missed rule of each schedule");
    return done(given, texts.join("\n"), { ended });
  });
}

/** The command that ends a maintenance of these names. */
export function endOfMaintenance(names: string): string {
  return names === "*" ? "ojm maintenance off" : ojmCommand("maintenance off", names);
}
