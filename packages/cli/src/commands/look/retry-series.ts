import type { JobManager } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import type { Retry } from "@ojm/schedule/operator";
import type { SayTime } from "../../output/times.js";
import { refuseUnknown } from "../../store/known-names.js";

/** A living process starts an attempt within this time after it is due, in ms. */
const LATE = 10_000;

/** A retry series that waits for its next attempt. */
export interface Coming extends Pick<Retry, "name" | "chain" | "attempt" | "due" | "error" | "orphaned"> {
  /** The most attempts that it may have. */
  readonly attempts: number;
}

/** The pending retries, of one name or of all, by their time. */
export async function retriesIn(manager: JobManager, name?: string): Promise<readonly Retry[]> {
  const retries = await manager.retries(name);
  // Without retries, skip loading the schedules: that takes longer than all else in `ojm ps`.
  return retries.length === 0 ? [] : (await import("@ojm/schedule/operator")).retriesOf(manager, retries);
}

/** The retry series that wait for their next attempt, of one name or of all, by their time. */
export async function comingOf(manager: JobManager, name?: string): Promise<Coming[]> {
  return comingIn(await retriesIn(manager, name));
}

/** The same from retries that are already known. */
export function comingIn(retries: readonly Retry[]): Coming[] {
  return retries.map(({ name, chain, attempt, due, error, retry: { attempts }, orphaned }) => ({
    ...{ name, chain, attempt, due, attempts },
    ...(error !== undefined && { error }),
    ...(orphaned && { orphaned }),
  }));
}

/** When an attempt is due, and whether no process makes it. `when`: its time, as text. */
export function sayDue(when: string, orphaned: true | undefined): string {
  return `due ${when}${orphaned ? ": no process makes it, because its own process is gone" : ""}`;
}

/** A pending attempt, as text. */
export function sayComing(coming: Omit<Coming, "chain">, say: SayTime): string {
  const { name, attempt, attempts, due, orphaned } = coming;
  const isLate = !orphaned && due <= Date.now() - LATE;
  const when = isLate ? `overdue since ${say(due)}: no process has made it so far` : sayDue(say(due), orphaned);
  return `${visible(name)} waits for attempt ${attempt} of ${attempts}, ${when}`;
}

/** The fields of a row about the pending attempt of its job. */
export type NextAttempt = Pick<Coming, "attempt" | "attempts" | "due" | "orphaned">;

/** Picks the fields of {@link NextAttempt}. */
export function nextAttempt({ attempt, attempts, due, orphaned }: NextAttempt): NextAttempt {
  return { attempt, attempts, due, ...(orphaned && { orphaned }) };
}

/** Rejects a name without results if the store does not have it. */
export async function refuseIfNone(
  manager: JobManager,
  name: string | undefined,
  found: readonly unknown[],
): Promise<void> {
  if (name !== undefined && found.length === 0) await refuseUnknown(manager, name);
}
