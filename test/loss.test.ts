import { type JobManager, type JobManagerOptions, type JsonValue, openJobManager } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

type Harm = (manager: JobManager, session: string) => Promise<unknown>;

const lock = ["lock", "job"];

/** What may happen to a lock without its holder. */
const harms: readonly (readonly [string, Harm])[] = [
  ["its lock is unlocked by force", (manager) => manager.unlock("job", { reason: "it hangs" })],
  ["the entry of its lock is deleted", ({ channels }) => channels.locks.unset(lock)],
  [
    "the entry of its lock is overwritten",
    async ({ channels: { locks } }) => {
      const value = await locks.get(lock);
      if (value !== undefined) await locks.set(lock, value);
    },
  ],
  ["the entry of its session is deleted", ({ channels }, session) => channels.locks.unset(["session", session])],
];

/** Heartbeats are twenty minutes apart: only a watch can notify a holder in time. */
const TTL = 3_600_000;

onSharedStores({ first: ["redis"] }, (create) => {
  it.each(harms)("a holder in another process is signalled at once when %s", async (_, harm) => {
    const options: JobManagerOptions = { ...(await create()), ttl: TTL };
    const holder = startChild("obedient.child.ts", [JSON.stringify(options)]);
    expect(await holder.message()).toMatchObject({ type: "began" });
    await using manager = await openJobManager(options);
    const [held] = await manager.heldLocks();
    await harm(manager, held?.holder.instance ?? "");
    expect(await holder.message<JsonValue>()).toEqual({ type: "said", said: "LOST" });
    expect(await holder.ended, holder.output.stderr).toBe(0);
  });
});
