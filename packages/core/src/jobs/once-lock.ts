import type { RunRecord } from "./types.js";

/* The names of the locks of runs that complete a key: see `JobManager.once`. No other run may have one. */

export const ONCE_LOCK = "once/";

/** The name of the lock of a key. Names and keys may have slashes: no two pairs have the same lock. */
export const onceLock = (name: string, key: string): string => `${prefixOf(name)}${key}`;

const prefixOf = (name: string): string => `${ONCE_LOCK}${name.replaceAll("%", "%25").replaceAll("/", "%2F")}/`;

/** The key that a run completes; `undefined` if it has none. */
export function onceKeyOf({ name, lock }: Pick<RunRecord, "name" | "lock">): string | undefined {
  const prefix = prefixOf(name);
  return lock?.startsWith(prefix) === true ? lock.slice(prefix.length) : undefined;
}

export const isOnceLock = (run: Pick<RunRecord, "name" | "lock">): boolean => onceKeyOf(run) !== undefined;
