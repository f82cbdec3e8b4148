import { type JobManager, parseRunId, type RunRecord } from "@ojm/core";
import { type NextAttempt, retriesIn } from "../kept.js";

/** How much later than its policy says an attempt may begin, in ms: its process may have died. */
const LATE = 86_400_000;

/** The most runs of a name that are read for the attempts of a chain. */
const MOST = 1_000;

/** An attempt of a chain that was made. */
export interface Made extends Pick<RunRecord, "id" | "status"> {
  readonly attempt: number;
}

/** The chain that a run is of. */
export interface ChainOf {
  /** All attempts that were made, in their order. */
  readonly attempts: readonly Made[];
  /** The one that is to come. */
  readonly next?: Pick<NextAttempt, "attempt" | "due" | "orphaned">;
}

/** The chain of a run; `undefined` for a run that is the only one. */
export async function chainOf(manager: JobManager, run: RunRecord): Promise<ChainOf | undefined> {
  const { name, id, retry, chain = id, startTime, timeout } = run;
  if (retry === undefined) return undefined;
  const from = parseRunId(chain)?.startTime ?? startTime;
  const to = from + retry.attempts * (timeout + retry.maxDelay) + LATE;
  const attempts: Made[] = [];
  for await (const one of manager.history({ name, from, to, limit: MOST }))
    if ((one.chain ?? one.id) === chain) attempts.push({ attempt: one.attempt ?? 1, id: one.id, status: one.status });
  const next = (await retriesIn(manager, name)).find((coming) => coming.chain === chain);
  if (attempts.length < 2 && next === undefined) return undefined;
  attempts.sort((a, b) => a.attempt - b.attempt);
  if (next === undefined) return { attempts };
  const { attempt, due, orphaned } = next;
  return { attempts, next: { attempt, due, ...(orphaned && { orphaned }) } };
}
