import type { JsonValue, RunRecord } from "@ojm/core";
import { sayDuration } from "../../output/times.js";

/** How long a command may take, and how long it has to end after that, in ms, as the user wrote them. */
export type Limits = Readonly<Record<"timeout" | "grace", number>>;

/**
 * The limits of the command of `ojm exec` that a run is for. The timeout of the record is that of its lock,
 * which outlasts both: nobody wrote that one. `undefined` for all other runs.
 */
export function limitsOf({ trigger, meta }: Pick<RunRecord, "trigger" | "meta">): Limits | undefined {
  const { timeout, grace }: Readonly<Record<string, JsonValue>> = meta ?? {};
  if (trigger !== "exec" || typeof timeout !== "number" || typeof grace !== "number") return undefined;
  return { timeout, grace };
}

/** How long a run may take, in words. */
export function sayLimit(run: RunRecord): string {
  const limits = limitsOf(run);
  if (limits === undefined) return sayDuration(run.timeout);
  return `${sayDuration(limits.timeout)}, then ${sayDuration(limits.grace)} to end after SIGTERM`;
}
