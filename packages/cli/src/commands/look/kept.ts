import type { JobManager } from "@ojm/core";
import type { Retry } from "@ojm/schedule/operator";
import { refuseUnknown } from "../../store/known-names.js";

/** A chain of attempts that waits for its next one. */
export interface Coming extends Pick<Retry, "name" | "chain" | "attempt" | "due" | "error" | "orphaned"> {
  /** The most attempts that it may have. */
  readonly attempts: number;
}

/** The attempts that are to come, of one name or of all, by their time. */
export async function retriesIn(manager: JobManager, name?: string): Promise<readonly Retry[]> {
  const retries = await manager.retries(name);
  // To load the schedules takes longer than all else that `ojm ps` does.
  return retries.length === 0 ? [] : (await import("@ojm/schedule/operator")).retriesOf(manager, retries);
}

/** The chains that wait for their next attempt, of one name or of all, by their time. */
export async function comingOf(manager: JobManager, name?: string): Promise<Coming[]> {
  return comingIn(await retriesIn(manager, name));
}

/** The same of what is known. */
export function comingIn(retries: readonly Retry[]): Coming[] {
  return retries.map(({ name, chain, attempt, due, error, retry: { attempts }, orphaned }) => ({
    ...{ name, chain, attempt, due, attempts },
    ...(error !== undefined && { error }),
    ...(orphaned && { orphaned }),
  }));
}

/** When an attempt is due, and that no process makes it. `when`: its time, in words. */
export function sayDue(when: string, orphaned: true | undefined): string {
  return `due ${when}${orphaned ? ": no process makes it, as its own is gone" : ""}`;
}

/** What a row tells of the attempt that its job waits for. */
export type NextAttempt = Pick<Coming, "attempt" | "attempts" | "due" | "orphaned">;

/** The same without the rest. */
export function nextAttempt({ attempt, attempts, due, orphaned }: NextAttempt): NextAttempt {
  return { attempt, attempts, due, ...(orphaned && { orphaned }) };
}

/** Refuses a name by which nothing was found, if the store has no such name. */
export async function refuseIfNone(
  manager: JobManager,
  name: string | undefined,
  found: readonly unknown[],
): Promise<void> {
  if (name !== undefined && found.length === 0) await refuseUnknown(manager, name);
}
