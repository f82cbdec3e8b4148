import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobManagerOptions } from "@ojm/core";
import { etcdMissing, startEtcd } from "../../etcd/src/testing/servers.js";
import { startRedis, whyMissing } from "../../redis/src/testing/servers.js";
import { etcdFloor } from "./floors/etcd.js";
import type { FloorStore } from "./floors/floor.js";
import { levelFloor } from "./floors/level.js";
import { memoryFloor } from "./floors/memory.js";
import { redisFloor } from "./floors/redis.js";
import { sqliteFloor } from "./floors/sqlite.js";

/** An open store that is ready to be measured, with its floor. */
export interface Measured extends FloorStore {
  readonly options: JobManagerOptions;
  close(): Promise<void>;
}

/** A store of the benchmark. */
export interface Store {
  readonly name: string;
  /** Runs in a round: enough to take a good part of a second. */
  readonly count: number;
  /** Why this machine cannot measure it, if so. */
  missing(): string | undefined;
  open(): Promise<Measured>;
}

function one(type: string, args: Readonly<Record<string, unknown>> = {}): JobManagerOptions {
  return { chJobs: { type, args }, chLocks: { type, args } };
}

function inFolder(
  type: string,
  count: number,
  args: (folder: string) => Record<string, string>,
  floor: (path: string) => FloorStore | Promise<FloorStore>,
): Store {
  return {
    name: type,
    count,
    missing: () => undefined,
    async open() {
      const folder = mkdtempSync(join(tmpdir(), "ojm-bench-"));
      const close = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
      return { options: one(type, args(folder)), ...(await floor(join(folder, "floor"))), close };
    },
  };
}

/** The stores, each with the driver that its backend uses. Both sides share one server. */
export const stores: readonly Store[] = [
  {
    name: "simple",
    count: 4_000,
    missing: () => undefined,
    open: async () => ({ options: {}, ...memoryFloor(), close: async () => {} }),
  },
  inFolder("level", 1_000, (folder) => ({ path: join(folder, "ours") }), levelFloor),
  inFolder("sqlite", 2_000, (folder) => ({ file: join(folder, "ours.db") }), sqliteFloor),
  {
    name: "redis",
    count: 2_000,
    missing: () => whyMissing("redis-server"),
    async open() {
      const server = await startRedis();
      return {
        options: one("redis", { url: server.url }),
        ...(await redisFloor(server.url)),
        close: () => server.stop(),
      };
    },
  },
  {
    name: "etcd",
    count: 300,
    missing: etcdMissing,
    async open() {
      const server = await startEtcd();
      return {
        options: one("etcd", { hosts: server.host }),
        ...(await etcdFloor(server.host)),
        close: () => server.stop(),
      };
    },
  },
];
