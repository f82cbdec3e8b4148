import { durationText } from "@ojm/core/backend";
import { type CheckedDefinition, policiesOf } from "./types.js";

/** When a definition is due, in words: `At 02:00, Monday through Friday (Europe/Lisbon)`. */
export async function wordsOf(definition: CheckedDefinition): Promise<string> {
  const { cron, every = 0, timeZone = "UTC" } = definition;
  const { jitter } = policiesOf(definition);
  const when = cron === undefined ? `Every ${durationText(every)}` : `${await cronText(cron)} (${timeZone})`;
  return jitter === 0 ? when : `${when}, up to ${durationText(jitter)} later`;
}

async function cronText(cron: string): Promise<string> {
  // Loaded on demand: most programs run their schedules and never show them.
  const { default: cronstrue } = await import("cronstrue");
  const both = cron.includes("+");
  const text = cronstrue.toString(withoutUnevenSteps(cron.replace("+", "")), { use24HourTimeFormat: true });
  // As in cron, a day counts if it matches either field, unless the expression requires both.
  return both ? text : text.replace(" of the month, and on ", " of the month or on ");
}

/**
 * For each field, beginning with that of the seconds: its first value and the number of its values.
 * `undefined` for the fields of days, whose steps always start again with the month or week.
 */
const FIELDS: readonly (readonly [first: number, count: number] | undefined)[] = [
  [0, 60],
  [0, 60],
  [0, 24],
  undefined,
  [1, 12],
  undefined,
];

/**
 * Replaces uneven steps by lists of values. A step that does not divide the length of its field starts again
 * each time the field does: a step of 45 is due at the seconds 0 and 45, and not every 45 seconds.
 */
function withoutUnevenSteps(cron: string): string {
  const parts = cron.trim().split(/\s+/);
  const known = FIELDS.slice(FIELDS.length - parts.length);
  return parts
    .map((part, i) => {
      const step = Number(/^\*\/(\d+)$/.exec(part)?.[1] ?? 1);
      const [first, count] = known[i] ?? [0, step];
      if (count % step === 0) return part;
      return Array.from({ length: Math.ceil(count / step) }, (_, times) => first + times * step).join();
    })
    .join(" ");
}
