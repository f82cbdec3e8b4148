import type { JobManager } from "@ojm/core";
import type { Harm } from "../events.js";

type LocksChannel = JobManager["channels"]["locks"];

/** Does to the entries of a held lock what nobody should. */
export async function doHarm(locks: LocksChannel, harm: Harm, name: string): Promise<void> {
  const key = ["lock", name];
  const lock = (await locks.entry(key))?.value;
  if (lock === undefined || !("holder" in lock)) return;
  if (harm === "delete lock") await locks.unset(key);
  else if (harm === "delete session") await locks.unset(["session", lock.holder.instance]);
  else
    await locks.set(key, { ...lock, token: "stranger", holder: { host: "elsewhere", pid: 1, instance: "stranger" } });
}
