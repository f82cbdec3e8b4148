import type { HeldLock, JobManager, PendingRetry } from "@ojm/core";
import { refuseUnknown } from "../../store/known-names.js";

/** The attempt for which a process keeps a lock. */
interface Kept {
  readonly attempt: number;
  readonly due: number;
}

/** The attempt in the note of a lock that is kept between two attempts; `undefined` for all other locks. */
export function keptOf(note: HeldLock["note"]): Kept | undefined {
  const { kept } = (note ?? {}) as { readonly kept?: Partial<Kept> };
  const { attempt, due } = kept ?? {};
  return typeof attempt === "number" && typeof due === "number" ? { attempt, due } : undefined;
}

/** A chain of attempts that waits for its next one. */
export interface Coming extends Kept {
  readonly name: string;
  /** The id of its first run. */
  readonly chain: string;
  /** Why the attempt before it failed. */
  readonly error?: string;
  /** The most attempts that it may have. */
  readonly attempts: number;
  /** Whether it keeps its lock meanwhile. */
  readonly isKept: boolean;
  /** Set if nobody makes it: its process is gone, and there is no other one. */
  readonly nobody?: true;
}

/** The attempts that nobody makes, of one name or of all. */
export async function attemptsLeft(manager: JobManager, name?: string): Promise<PendingRetry[]> {
  const left = await manager.retriesLeft(name);
  // To load the schedules takes longer than all else that `ojm ps` does.
  return left.length === 0 ? left : (await import("@ojm/schedule")).attemptsLeft(manager, name);
}

/** The chains that wait for their next attempt, of one name or of all, by their time. */
export async function comingOf(manager: JobManager, name?: string): Promise<Coming[]> {
  const [all, locks, left] = await Promise.all([manager.retries(name), manager.locks(), attemptsLeft(manager, name)]);
  const isLeft = (one: PendingRetry): boolean => left.some((two) => two.name === one.name && two.chain === one.chain);
  const kept = new Set(locks.flatMap((lock) => (keptOf(lock.note) === undefined ? [] : [lock.name])));
  const coming = all.map((next): Coming => {
    const { name: job, chain, attempt, due, error, retry } = next;
    return {
      ...{ name: job, chain, attempt, due, attempts: retry.attempts },
      ...(error !== undefined && { error }),
      isKept: kept.has(job),
      ...(isLeft(next) && { nobody: true }),
    };
  });
  return coming.sort((a, b) => a.due - b.due);
}

/** When an attempt is due, and that nobody makes it. `when`: its time, in words. */
export function sayDue(when: string, nobody: true | undefined): string {
  return `due ${when}${nobody ? ": nobody makes it, as its process is gone" : ""}`;
}

/** What a row tells of the attempt that its job waits for. */
export type NextAttempt = Pick<Coming, "attempt" | "attempts" | "due" | "nobody">;

/** The same without the rest. */
export function nextAttempt({ attempt, attempts, due, nobody }: NextAttempt): NextAttempt {
  return { attempt, attempts, due, ...(nobody && { nobody }) };
}

/** Refuses a name by which nothing was found, if the store has no such name. */
export async function refuseIfNone(
  manager: JobManager,
  name: string | undefined,
  found: readonly unknown[],
): Promise<void> {
  if (name !== undefined && found.length === 0) await refuseUnknown(manager, name);
}
