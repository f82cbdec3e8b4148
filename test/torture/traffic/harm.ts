import type { JobManager } from "@ojm/core";
import type { Harm } from "../scene/events.js";

type LocksChannel = JobManager["channels"]["locks"];

/** The instance in the entry of a lock that was overwritten. */
export const STRANGER = "stranger";

/** What was harmed: a lock, by its fence, or a session. Neither if the lock was free. */
export interface Struck {
  readonly fence?: string;
  readonly session?: string;
}

/** Harms the entries of a held lock in a way that is not allowed. */
export async function doHarm(locks: LocksChannel, harm: Harm, name: string): Promise<Struck> {
  const key = ["lock", name];
  const entry = await locks.entry(key);
  if (entry === undefined || !("until" in entry.value)) return {};
  const { value, version } = entry;
  if (harm === "delete session") {
    const session = value.holder.instance;
    const own = ["session", session];
    const presence = await locks.entry(own);
    if (presence === undefined) return {};
    const gone = await locks.commit([{ check: own, version: presence.version }, { delete: own }]);
    return gone.ok ? { session } : {};
  }
  const stranger = { host: "elsewhere", pid: 1, instance: STRANGER };
  const put = { put: key, value: { ...value, token: STRANGER, holder: stranger } };
  const check = { check: key, version };
  const { ok } = await locks.commit([check, harm === "delete lock" ? { delete: key } : put]);
  return ok ? { fence: version } : {};
}
