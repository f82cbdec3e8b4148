import type { ScheduleDefinition } from "@ojm/schedule";
import type { Settings, TypeArgs } from "../../../load/job-file.js";
import { timeZoneOf } from "../../../plan/settings.js";

/** The definition of the schedule that the settings of a job say. */
export function definitionOf(typeArgs: TypeArgs, settings: Settings, timeout: number | undefined): ScheduleDefinition {
  const { cron, timeInterval = 0, overlap, missed, jitter, blackout, retry } = typeArgs;
  return {
    ...(cron === undefined ? { every: timeInterval } : { cron: String(cron), timeZone: zoneOf(typeArgs, settings) }),
    ...(missed !== undefined && { missed }),
    ...(overlap !== undefined && { overlap }),
    ...(jitter !== undefined && { jitter }),
    ...(blackout !== undefined && { blackout }),
    ...(retry !== undefined && { retry }),
    ...(timeout !== undefined && { timeout }),
  };
}

/** The time zone by its name: in the store, that of the machine means nothing. */
function zoneOf(typeArgs: TypeArgs, settings: Settings): string {
  const zone = timeZoneOf(typeArgs, settings);
  return zone === "local" ? new Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}
