import type { DamageCheck } from "@ojm/core/internal";
import { isReadable } from "../definition/check.js";
import { CHANNEL } from "../store/schema.js";
import { isCursor, isMember, isMemberPart, isRequest, isSchedule, isWholeTick } from "../store/valid.js";

function isDamaged({ key, value }: Parameters<DamageCheck["isDamaged"]>[0]): boolean {
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

/** Finds the damaged entries of the schedulers. */
export const scheduleDamage: DamageCheck = {
  channel: CHANNEL,
  isDamaged,
  prefixes: ["schedule", "cursor", "member", "request", "tick"].map((kind) => [kind]),
};
