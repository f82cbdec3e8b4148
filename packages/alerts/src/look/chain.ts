import type { RunRecord } from "@ojm/core";

/** Leaves out runs that a later attempt followed: a retry series counts once. */
export function withoutFollowed(runs: readonly RunRecord[]): RunRecord[] {
  const known = new Set(runs.map((run) => `${run.attempt ?? 1} ${chainOf(run)}`));
  return runs.filter((run) => !known.has(`${(run.attempt ?? 1) + 1} ${chainOf(run)}`));
}

/** Whether a run is a later attempt of the same retry series. */
export function follows(later: RunRecord, { attempt = 1, ...record }: RunRecord): boolean {
  return (later.attempt ?? 1) > attempt && chainOf(later) === chainOf(record);
}

/** The id of the first run of a retry series. */
export function chainOf({ chain, id }: Pick<RunRecord, "chain" | "id">): string {
  return chain ?? id;
}
