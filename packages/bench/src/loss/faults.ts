import type { ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { openChannel } from "@ojm/core";
import type { RedisServer } from "@ojm/testing/redis";
import { Redis } from "ioredis";
import { type Contestant, now } from "./contestant.js";

/** How long the server is frozen, or the event loop is blocked, in ms: twice the time to live. */
const LONG = 6_000;

/** The fault that a heartbeat thread can make up for. */
export const BLOCKED = "event loop blocked for 6 s";

/** Where a fault strikes. */
export interface Scene {
  readonly contestant: Contestant;
  readonly server: RedisServer;
  readonly holder: ChildProcess;
}

async function onKey(
  { contestant, server }: Scene,
  act: (redis: Redis, key: string) => Promise<unknown>,
): Promise<number> {
  const key = contestant.key ?? "";
  const redis = new Redis(server.url);
  // The fault must strike a held lock, or the trial measures nothing.
  if ((await redis.exists(key)) !== 1) throw new Error(`there is no lock at ${key}`);
  const struck = now();
  await act(redis, key);
  await redis.quit();
  return struck;
}

/** The lock of ojm is an entry of a channel with an index, so change it through a channel. */
async function onEntry({ server }: Scene, act: (value: object) => object | undefined): Promise<number> {
  await using channel = await openChannel("oJobManager-locks", { type: "redis", args: { url: server.url } });
  const value = await channel.get(["lock", "job"]);
  if (typeof value !== "object" || value === null) throw new Error("there is no lock");
  const next = act(value);
  const struck = now();
  if (next === undefined) await channel.unset(["lock", "job"]);
  else await channel.set(["lock", "job"], next as never);
  return struck;
}

/**
 * The faults that strike while the first process is inside and the second one waits. Each resolves to the
 * time at which it struck. Everything that it needs is prepared before.
 */
export const faults: Readonly<Record<string, (scene: Scene) => Promise<number>>> = {
  "server frozen for 6 s": async ({ server }) => {
    const struck = now();
    server.freeze();
    await pause(LONG);
    server.thaw();
    return struck;
  },
  "lock deleted": (scene) =>
    scene.contestant.key === undefined ? onEntry(scene, () => undefined) : onKey(scene, (redis, key) => redis.del(key)),
  "lock overwritten": (scene) =>
    scene.contestant.key === undefined
      ? onEntry(scene, (value) => ({ ...value, token: "thief" }))
      : onKey(scene, (redis, key) => redis.set(key, "thief", "PX", 60_000)),
  [BLOCKED]: async ({ holder }) => {
    const struck = now();
    holder.send(LONG);
    return struck;
  },
};
