import { type QueueValue, queueKey } from "../locks/entries/schema.js";
import type { LocksOf } from "./world.js";

/** How many wait for the lock `name`, by what the store says. */
export async function waiting({ channel }: LocksOf, name = "a"): Promise<number> {
  return ((await channel.get(queueKey(name))) as QueueValue | undefined)?.waiting.length ?? 0;
}

/** Everything from now on goes wrong: for the others, the process is as good as dead. */
export function cut({ way }: LocksOf): void {
  way.fault = () => ({ type: "refused" });
}
