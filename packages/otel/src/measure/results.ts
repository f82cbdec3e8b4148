import type { RunStatus } from "@ojm/core";

/** The results of the CI/CD conventions, by the status of a run. */
const RESULTS = {
  completed: "success",
  skipped: "skip",
  failed: "failure",
  timeout: "timeout",
  cancelled: "cancellation",
  lost: "error",
} as const satisfies Readonly<Record<Exclude<RunStatus, "running">, string>>;

/** The result of a run that has ended. */
export function resultOf(status: RunStatus): string {
  return status === "running" ? "error" : RESULTS[status];
}
