import type { HeldLock, JobManager } from "@ojm/core";
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
}

/** The chains that wait for their next attempt, of one name or of all, by their time. */
export async function comingOf(manager: JobManager, name?: string): Promise<Coming[]> {
  const [all, locks] = await Promise.all([manager.retries(name), manager.locks()]);
  const kept = new Set(locks.flatMap((lock) => (keptOf(lock.note) === undefined ? [] : [lock.name])));
  const coming = all.map(({ name: job, chain, attempt, due, error, retry: { attempts } }) => ({
    ...{ name: job, chain, attempt, due, attempts },
    ...(error !== undefined && { error }),
    isKept: kept.has(job),
  }));
  return coming.sort((a, b) => a.due - b.due);
}

/** Refuses a name by which nothing was found, if the store has no such name. */
export async function refuseIfNone(
  manager: JobManager,
  name: string | undefined,
  found: readonly unknown[],
): Promise<void> {
  if (name !== undefined && found.length === 0) await refuseUnknown(manager, name);
}
