import type { JsonValue, RunRecord } from "@ojm/core";
import { sayDuration } from "../../output/times.js";

/** How long a command may take, and how long it has to end after that, in ms, as the user set them. */
export type Limits = Readonly<Record<"timeout" | "grace", number>>;

/**
 * The limits of the command that a run of `ojm exec` runs. The timeout in the record is that of its lock,
 * which outlasts both and was not set by the user. `undefined` for all other runs.
 */
export function limitsOf({ trigger, meta }: Pick<RunRecord, "trigger" | "meta">): Limits | undefined {
  const { timeout, grace }: Readonly<Record<string, JsonValue>> = meta ?? {};
  if (trigger !== "exec" || typeof timeout !== "number" || typeof grace !== "number") return undefined;
  return { timeout, grace };
}

/** The time limit of a run, as text. */
export function sayLimit(run: RunRecord): string {
  const limits = limitsOf(run);
  if (limits === undefined) return sayDuration(run.timeout);
  return `${sayDuration(limits.timeout)}, then ${sayDuration(limits.grace)} to end after SIGTERM`;
}
