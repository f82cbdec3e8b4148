import { type QueueValue, queueKey } from "../locks/entries/schema.js";
import type { LocksOf } from "./world.js";

/** The number of waiters of the lock `name`, from the store. */
export async function waiting({ channel }: LocksOf, name = "a"): Promise<number> {
  return ((await channel.get(queueKey(name))) as QueueValue | undefined)?.waiting.length ?? 0;
}

/** Makes all calls fail from now on: to the others, the process looks dead. */
export function cut({ way }: LocksOf): void {
  way.fault = () => ({ type: "refused" });
}
