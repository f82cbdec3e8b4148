import type { JobManager, Key } from "@ojm/core";
import { type DamagedEntry, damagedIn } from "@ojm/core/backend";
import { isReadable } from "../definition/check.js";
import { CHANNEL, type SchedulesValue } from "../store/schema.js";
import { isCursor, isMember, isMemberPart, isRequest, isSchedule, isWholeTick } from "../store/valid.js";

/** Whether an entry of the schedulers has a key of theirs, and a value that they cannot use. */
export function isDamagedScheduleEntry({ key, value }: { readonly key: Key; readonly value: unknown }): boolean {
  const [kind, name, part, ...more] = (Array.isArray(key) ? key : []) as readonly unknown[];
  if (typeof name !== "string" || more.length > 0) return false;
  switch (kind) {
    case "schedule":
      return part === undefined && !(isSchedule(value, name) && isReadable(value.definition));
    case "cursor":
      return part === undefined && !isCursor(value);
    case "tick":
      return typeof part === "number" && !isWholeTick(value);
    case "member":
      return part === undefined ? !isMember(value) : !isMemberPart(value);
    case "request":
      return part !== undefined && !isRequest(value);
    default:
      return false;
  }
}

/** The damaged entries of the schedulers, among the first `most` of each kind. */
export async function* damagedSchedules(
  manager: JobManager,
  most: number,
): AsyncGenerator<DamagedEntry, void, undefined> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  for (const kind of ["schedule", "cursor", "member", "request", "tick"])
    yield* damagedIn(channel, isDamagedScheduleEntry, { prefix: [kind], most });
}
