import { visible } from "@ojm/core/internal";
import type { TickReason, TickValue } from "../store/schema.js";

/** Why a tick is not run, where no more is known than the reason. */
const WORDS: Readonly<Record<TickReason, string>> = {
  paused: "the schedule was paused",
  blackout: "it fell into a blackout",
  overlap: "the job was running, or its lock was held",
  "queue-full": "too many ticks waited",
  replaced: "a newer tick replaced it",
  policy: "no process was there, or it did not reach the store, and missed ticks are not run",
  "too-late": "no process was there, or it did not reach the store, until it was too late",
  "not-latest": "no process was there, or it did not reach the store, and only the newest of the missed ticks is run",
  "too-many": "no process was there, or it did not reach the store, and too many ticks were missed",
  "nobody-there": "no process was there, or it did not reach the store",
  imported: "the schedule was brought here from another store, which may have run it",
  removed: "the schedule was removed",
  invalid: "its options are not valid",
  "not-recorded": "its record could not be written",
};

type Evidence = Readonly<Record<string, unknown>>;

/**
 * Why a tick was not run, in words that are safe to show on a terminal, with what the reason rests on: the
 * run that went on, the person who paused the schedule. `undefined` for a tick that was run.
 *
 * @example
 * for await (const tick of scheduler.ticks("report", { limit: 10 })) {
 *   console.log(new Date(tick.at), tick.outcome, whyNotRun(tick) ?? tick.run);
 * }
 */
export function whyNotRun({ reason, evidence = {} }: Pick<TickValue, "reason" | "evidence">): string | undefined {
  if (reason === undefined) return undefined;
  // A later version of ojm may know more reasons.
  const words = Object.hasOwn(WORDS, reason) ? WORDS[reason] : reason;
  return visible(MORE[reason]?.(evidence) ?? words);
}

/**
 * What a tick was before a backfill ran it, in words: that it ran long after its time must be seen.
 * `undefined` for a tick that no backfill ran.
 *
 * @example
 * for await (const tick of scheduler.ticks("report", { limit: 10 })) {
 *   console.log(new Date(tick.at), tick.outcome, whyNotRun(tick) ?? whyBackfilled(tick));
 * }
 */
export function whyBackfilled({
  outcome,
  evidence = {},
}: Pick<TickValue, "evidence"> & { readonly outcome: string }): string | undefined {
  if (outcome !== "run" || evidence["backfill"] === undefined) return undefined;
  const { outcome: was, reason } = (evidence["before"] ?? {}) as Evidence;
  const by = "run later, by a backfill";
  if (was === "run") return `${by}: it had been run before`;
  if (!textOf(was)) return by;
  const why = textOf(reason) ? whyNotRun({ reason: reason as TickReason }) : undefined;
  return visible(`${by}: it was ${was}${why === undefined ? "" : `, as ${why}`}`);
}

/** What the evidence of a reason says; `undefined` if it says no more than the reason. */
const MORE: Readonly<Partial<Record<TickReason, (evidence: Evidence) => string | undefined>>> = {
  paused: ({ by, reason }) => textOf(by) && `the schedule was paused by ${by}: ${reason}`,
  blackout: ({ reason }) => textOf(reason) && `it fell into a blackout: ${reason}`,
  overlap: overlapOf,
  "queue-full": ({ waiting }) => (typeof waiting === "number" ? `too many ticks waited: ${waiting}` : undefined),
  replaced: ({ by }) => (isTime(by) ? `the newer tick of ${new Date(by).toISOString()} replaced it` : undefined),
  invalid: ({ error }) => textOf(error) && `its options are not valid: ${error}`,
};

function overlapOf({ run, hold, holder, since, waiting }: Evidence): string | undefined {
  const { author, reason } = (hold ?? {}) as Evidence;
  if (hold !== undefined) return `the job was held${textOf(author) ? ` by ${author}` : ""}: ${reason}`;
  if (typeof waiting === "number") return `${waiting === 1 ? "an earlier tick" : `${waiting} earlier ticks`} waited`;
  const { host, pid } = (holder ?? {}) as Evidence;
  if (!textOf(host)) return undefined;
  const on = `on ${host}, pid ${pid}`;
  if (textOf(run)) return `the job was running, as ${run} ${on}`;
  return `its lock was held ${on}${isTime(since) ? `, since ${new Date(since).toISOString()}` : ""}`;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const isTime = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 8.64e15;
