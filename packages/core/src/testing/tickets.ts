import { type QueueValue, queueKey } from "../locks/entries/schema.js";
import type { LocksOf } from "./world.js";

/** How many waiters the lock `name` has, by what the store says. */
export async function waiting({ channel }: LocksOf, name = "a"): Promise<number> {
  return ((await channel.get(queueKey(name))) as QueueValue | undefined)?.waiting.length ?? 0;
}

/** Makes all calls fail from now on: for the others, the process is as good as dead. */
export function cut({ way }: LocksOf): void {
  way.fault = () => ({ type: "refused" });
}
