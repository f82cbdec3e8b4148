import type { ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { openChannel } from "@ojm/core";
import { Redis } from "ioredis";
import type { RedisServer } from "../../../redis/src/testing/servers.js";
import type { Contestant } from "./contestants.js";

/** How long the server stands still, or the event loop is blocked: twice the time to live. */
const LONG = 6_000;

/** Where a fault strikes. */
export interface Scene {
  readonly contestant: Contestant;
  readonly server: RedisServer;
  readonly holder: ChildProcess;
}

async function onKey(scene: Scene, act: (redis: Redis, key: string) => Promise<unknown>): Promise<void> {
  const { contestant, server } = scene;
  if (contestant.key === undefined) return;
  const redis = new Redis(server.url);
  // Nobody's lock is no lock to lose: the fault must strike something.
  if ((await redis.exists(contestant.key)) !== 1) throw new Error(`there is no lock at ${contestant.key}`);
  await act(redis, contestant.key);
  await redis.quit();
}

/** Ours is an entry of a channel, with an index beside it: it goes by the front door. */
async function onEntry({ contestant, server }: Scene, act: (value: object) => object | undefined): Promise<void> {
  if (contestant.key !== undefined) return;
  await using channel = await openChannel("oJobManager-locks", { type: "redis", args: { url: server.url } });
  const value = await channel.get(["lock", "job"]);
  if (typeof value !== "object" || value === null) throw new Error("there is no lock");
  const next = act(value);
  if (next === undefined) await channel.unset(["lock", "job"]);
  else await channel.set(["lock", "job"], next as never);
}

/** What goes wrong while the first process is inside and the second one waits. */
export const faults: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "server frozen for 6 s": async ({ server }) => {
    server.freeze();
    await pause(LONG);
    server.thaw();
  },
  "lock deleted": async (scene) => {
    await onKey(scene, (redis, key) => redis.del(key));
    await onEntry(scene, () => undefined);
  },
  "lock overwritten": async (scene) => {
    await onKey(scene, (redis, key) => redis.set(key, "thief", "PX", 60_000));
    await onEntry(scene, (value) => ({ ...value, token: "thief" }));
  },
  "event loop blocked for 6 s": async ({ holder }) => {
    holder.send(LONG);
  },
};
